"""Secrets from the host's own environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mayfly.errors import SecretMissing


class EnvironmentSecrets:
    """See `SecretStore`. The secret `db-password` is the variable MAYFLY_SECRET_DB_PASSWORD."""

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        values: dict[str, str] = {}
        for variable, name in references.items():
            setting = f"MAYFLY_SECRET_{name.upper().replace('-', '_')}"
            value = os.environ.get(setting)
            if value is None:
                raise SecretMissing(name, f"set {setting} where the host runs")
            values[variable] = value
        return values
