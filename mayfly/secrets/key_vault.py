"""Secrets in Azure Key Vault: the host reads them with its identity when it creates a container, and keeps none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets.aio import SecretClient

from mayfly.errors import SecretMissing, TryAgain


class KeyVaultSecrets:
    """See `SecretStore`. One client serves a process."""

    def __init__(self, vault: str, credential: Any, **options: Any) -> None:
        """Pass `options` to the SDK's client; tests use them to reach a server without TLS."""
        self._vault = vault
        self._credential = credential
        self._options = options
        self._client: Any = None

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        """See `SecretStore.resolve`. It returns the newest version of each secret."""
        if self._client is None and references:
            self._client = SecretClient(self._vault, self._credential, retry_total=0, **self._options)
        return {variable: await self._value(name) for variable, name in references.items()}

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
        await self._credential.close()

    async def _value(self, name: str) -> str:
        try:
            value: str | None = (await self._client.get_secret(name)).value
        except ResourceNotFoundError as error:
            raise SecretMissing(name, f"add it to {self._vault}") from error
        except HttpResponseError as error:
            raise TryAgain(f"Key Vault did not return {name!r}: {error.status_code}") from error
        except AzureError as error:
            raise TryAgain(f"Key Vault did not answer for {name!r}: {type(error).__name__}") from error
        if value is None:
            raise SecretMissing(name, f"give it a value in {self._vault}")
        return value
