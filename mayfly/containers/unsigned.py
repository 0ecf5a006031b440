"""The credential for an endpoint that speaks plain HTTP: no Azure token is ever sent over a line that anybody reads."""

from __future__ import annotations

from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo

_FAR_S = 4_000_000_000


class NoToken:
    """Stands where Azure's credentials would: an endpoint of a test takes any word."""

    async def get_token(self, *scopes: str, **options: Any) -> Any:  # noqa: ARG002
        return AccessToken("none", _FAR_S)

    async def get_token_info(self, *scopes: str, **options: Any) -> Any:  # noqa: ARG002
        return AccessTokenInfo("none", _FAR_S)

    async def close(self) -> None:
        """Nothing is held open."""
