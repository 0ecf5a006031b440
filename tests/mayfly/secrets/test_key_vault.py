"""Secrets in Key Vault: values, missing secrets, and the real client over TLS."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceRequestError

from mayfly.credentials import PlaintextCredential
from mayfly.errors import SecretMissing, TryAgain
from mayfly.secrets.key_vault import KeyVaultSecrets
from tests.azure.certificates import certificate_for


class _Vault:
    """The SDK's client, as far as it matters here."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers

    async def get_secret(self, name: str) -> Any:
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        return type("Secret", (), {"value": answer})()

    async def close(self) -> None:
        """Nothing is held open."""


def _vault(answers: dict[str, Any]) -> KeyVaultSecrets:
    secrets = KeyVaultSecrets("https://vault.test", PlaintextCredential())
    secrets._client = _Vault(answers)
    return secrets


def test_references_are_resolved_to_values() -> None:
    found = asyncio.run(_vault({"db-password": "pa55"}).resolve({"DB": "db-password"}))
    assert found == {"DB": "pa55"}


def test_a_missing_secret_is_named_with_its_vault() -> None:
    with pytest.raises(SecretMissing, match=r"add it to https://vault\.test"):
        asyncio.run(_vault({"a": ResourceNotFoundError()}).resolve({"A": "a"}))


@pytest.mark.parametrize("trouble", [HttpResponseError("no"), ServiceRequestError("no")])
def test_an_unavailable_vault_is_retried_later(trouble: Exception) -> None:
    with pytest.raises(TryAgain, match="'a'"):
        asyncio.run(_vault({"a": trouble}).resolve({"A": "a"}))


@pytest.mark.parametrize("status", [200, 404, 503])
def test_the_real_client_works_against_a_vault(status: int, tmp_path: Path) -> None:
    """Over TLS, since this client sends nothing without, to a server that asks who it is first."""
    certificate = certificate_for(tmp_path)
    asked: list[tuple[str, str]] = []

    async def handle(request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "")
        asked.append((request.path, token))
        if not token:
            challenge = 'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        body = {"value": "pa55", "id": "https://v.vault.azure.net/secrets/db-password/1"}
        error = {"error": {"code": "SecretNotFound", "message": "no"}}
        return web.json_response(body if status == 200 else error, status=status)

    async def story() -> dict[str, str]:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        secrets = KeyVaultSecrets(
            f"https://127.0.0.1:{runner.addresses[0][1]}",
            PlaintextCredential(),
            connection_verify=str(certificate),
            verify_challenge_resource=False,
        )
        try:
            return await secrets.resolve({"DB": "db-password"})
        finally:
            await secrets.close()
            await runner.cleanup()

    if status == 200:
        assert asyncio.run(story()) == {"DB": "pa55"}
    else:
        with pytest.raises(SecretMissing if status == 404 else TryAgain):
            asyncio.run(story())
    assert [path.rstrip("/") for path, _ in asked] == ["/secrets/db-password"] * 2
    assert [token for _, token in asked] == ["", "Bearer none"]
