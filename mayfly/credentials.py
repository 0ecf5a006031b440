"""How does this host sign in to Azure? With its own identity, never with a key."""

from __future__ import annotations

from typing import Any

_FAR_FUTURE_S = 4_000_000_000


class PlaintextCredential:
    """A credential for an endpoint without TLS, which only tests have. It never sends an Azure token."""

    async def get_token(self, *scopes: str, **options: Any) -> Any:  # noqa: ARG002
        """Return a meaningless token. Source: `azure.core.credentials_async.AsyncTokenCredential`."""
        from azure.core.credentials import AccessToken

        return AccessToken("none", _FAR_FUTURE_S)

    async def close(self) -> None:
        """Do nothing; no connection is open."""


def credential(*, plain: bool = False) -> Any:
    """Return a new credential for the asynchronous clients: a managed identity, or the developer's sign-in.

    Shapes: `plain` is for an endpoint without TLS.
    """
    if plain:
        return PlaintextCredential()
    from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential()
