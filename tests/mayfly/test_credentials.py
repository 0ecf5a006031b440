"""The credential for an endpoint without TLS holds no token of Azure."""

from __future__ import annotations

import asyncio

from mayfly.credentials import PlaintextCredential, credential


def test_an_endpoint_without_tls_never_gets_a_token_of_azure() -> None:
    plain = credential(plain=True)
    assert isinstance(plain, PlaintextCredential)
    assert asyncio.run(plain.get_token("https://management.azure.com/.default")).token == "none"


def test_otherwise_the_host_signs_in_with_its_identity() -> None:
    real = credential()
    assert type(real).__name__ == "DefaultAzureCredential"
    asyncio.run(real.close())
