"""Where secret references are resolved: only while a container is being created, and nowhere else (I8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class SecretStore(Protocol):
    """Resolve names to values."""

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        """Return environment variable to value, for environment variable to secret name.

        Errors: `SecretMissing` for the first name that the store does not have; `TryAgain` when it does not answer.
        """
        ...
