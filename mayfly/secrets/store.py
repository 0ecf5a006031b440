"""The port to the secrets. References are resolved only while a container is created, or its output masked (I8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class SecretStore(Protocol):
    """Resolve secret names to values."""

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        """Return the values of the references.

        Shapes: `references` is environment variable to secret name; the result is environment variable to value.
        Errors: `SecretMissing` for the first name that is not in the store; `TryAgain` if the store does not answer.
        """
