"""How this host signs in to Azure: as itself, with no key anywhere."""

from __future__ import annotations

from typing import Any


def credential(*, plain: bool = False) -> Any:
    """Return a new credential for the asynchronous clients: a managed identity, or who signed in on this machine.

    `plain`: for an endpoint without TLS, which is a test's: no token of Azure is sent there.
    """
    if plain:
        from mayfly.containers.unsigned import NoToken

        return NoToken()
    from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential()
