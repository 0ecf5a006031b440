"""Where secret references are resolved: only while a container is being created, and nowhere else (I8)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Protocol


class SecretMissing(Exception):
    """A reference names nothing. Holds the name, never a value."""

    def __init__(self, name: str, mend: str) -> None:
        self.name = name
        self.mend = mend
        super().__init__(f"there is no secret {name!r}: {mend}")


class SecretStore(Protocol):
    """Resolve names to values."""

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        """Return environment variable to value, for environment variable to secret name.

        Errors: `SecretMissing` for the first name that the store does not have; `TryAgain` when it does not answer.
        """
        ...


class EnvironmentSecrets:
    """Secrets from this host's own environment: the secret `db-password` is the variable MAYFLY_SECRET_DB_PASSWORD."""

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        """See `SecretStore.resolve`."""
        values: dict[str, str] = {}
        for variable, name in references.items():
            setting = f"MAYFLY_SECRET_{name.upper().replace('-', '_')}"
            value = os.environ.get(setting)
            if value is None:
                raise SecretMissing(name, f"set {setting} where the host runs")
            values[variable] = value
        return values
