"""Readings of Azure Monitor: the real client against a server that speaks the batch API, over TLS, region by region."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from azure.core.pipeline.transport import AioHttpTransport

from mayfly.containers.aci.metrics import AciMetrics
from mayfly.containers.runtime import MetricSample
from mayfly.credentials import PlaintextCredential
from mayfly.errors import RuntimeUnavailable
from tests.azure.certificates import certificate_for
from tests.fake_arm.metrics import DOMAIN, FakeMetrics, Series, serving_metrics

MINUTE = timedelta(minutes=1)
NOW = datetime.now(UTC).replace(second=0, microsecond=0) - 10 * MINUTE
"""A moment ago, by the real clock, which the SDK's client uses."""
GROUP = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups/ada-1"


class _ToLoopback(AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        assert host.endswith(f".{DOMAIN}")
        found: ResolveResult = {
            "hostname": host,
            "host": "127.0.0.1",
            "port": port,
            "family": family,
            "proto": 0,
            "flags": 0,
        }
        return [found]

    async def close(self) -> None:
        """Nothing is held open."""


def _asking(tmp_path: Path, fake: FakeMetrics, story: Callable[[AciMetrics], Awaitable[Any]]) -> Any:
    certificate = certificate_for(tmp_path, dns=[f"*.{DOMAIN}"])

    async def run() -> Any:
        async with serving_metrics(fake, certificate) as port:
            trusted = ssl.create_default_context(cafile=str(certificate))
            connector = aiohttp.TCPConnector(resolver=_ToLoopback(), ssl=trusted)
            async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
                transport = AioHttpTransport(session=session, session_owner=False)
                metrics = AciMetrics(f"https://{DOMAIN}:{port}", PlaintextCredential(), transport=transport)
                try:
                    return await story(metrics)
                finally:
                    await metrics.close()

    return asyncio.run(run())


def _read(tmp_path: Path, metrics: Mapping[str, Sequence[Series]]) -> Sequence[MetricSample]:
    fake = FakeMetrics(groups={GROUP: ("swedencentral", metrics)})
    found: Sequence[MetricSample] = _asking(tmp_path, fake, lambda asked: asked.read(GROUP, region="swedencentral"))
    return found


def test_samples_come_minute_by_minute_in_cores_and_bytes(tmp_path: Path) -> None:
    cpu = {NOW: 1_000.0, NOW + MINUTE: 250.0}
    memory = {NOW + MINUTE: 3e9, NOW: 2e9}
    assert _read(tmp_path, {"CpuUsage": [cpu], "MemoryUsage": [memory]}) == [
        MetricSample(at=NOW, cpu_cores=1.0, memory_bytes=2_000_000_000),
        MetricSample(at=NOW + MINUTE, cpu_cores=0.25, memory_bytes=3_000_000_000),
    ]


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        {"CpuUsage": [], "MemoryUsage": []},
        {"CpuUsage": [{}], "MemoryUsage": [{}]},
        {"CpuUsage": [{NOW: 1_000.0}], "MemoryUsage": []},
        {"CpuUsage": [{NOW: None}], "MemoryUsage": [{NOW: 2e9}]},
        {"CpuUsage": [{NOW - timedelta(days=2): 1.0}], "MemoryUsage": [{NOW - timedelta(days=2): 1.0}]},
    ],
    ids=["nothing", "no series", "empty series", "one alone", "no value", "older than a day"],
)
def test_unknown_values_are_not_samples(tmp_path: Path, metrics: Mapping[str, Sequence[Series]]) -> None:
    assert _read(tmp_path, metrics) == []


def test_a_minute_without_a_value_leaves_the_others(tmp_path: Path) -> None:
    cpu = {NOW: None, NOW + MINUTE: 500.0, NOW + 2 * MINUTE: 0.0}
    memory = {NOW: 2e9, NOW + MINUTE: 1e9, NOW + 2 * MINUTE: 0.0}
    assert _read(tmp_path, {"CpuUsage": [cpu], "MemoryUsage": [memory]}) == [
        MetricSample(at=NOW + MINUTE, cpu_cores=0.5, memory_bytes=1_000_000_000),
        MetricSample(at=NOW + 2 * MINUTE, cpu_cores=0.0, memory_bytes=0),
    ]


def test_each_region_is_asked_at_its_own_endpoint(tmp_path: Path) -> None:
    other = GROUP.replace("ada", "eve")
    series = {"CpuUsage": [{NOW: 1.0}], "MemoryUsage": [{NOW: 1.0}]}
    fake = FakeMetrics(groups={GROUP: ("swedencentral", series), other: ("westeurope", series)})

    async def story(metrics: AciMetrics) -> None:
        for _ in range(2):
            assert len(await metrics.read(GROUP, region="swedencentral")) == 1
            assert len(await metrics.read(other, region="westeurope")) == 1
        with pytest.raises(RuntimeUnavailable):
            await metrics.read(other, region="swedencentral")

    _asking(tmp_path, fake, story)
    assert fake.asked == [("swedencentral", GROUP), ("westeurope", other)] * 2 + [("swedencentral", other)]


@pytest.mark.parametrize(
    "answer",
    [
        (401, '{"error": {"code": "InvalidAuthenticationToken", "message": "no"}}'),
        (403, '{"error": {"code": "AuthorizationFailed", "message": "no"}}'),
        (429, '{"error": {"code": "TooManyRequests", "message": "no"}}'),
        (500, ""),
        (503, "<html>no</html>"),
        (200, "not JSON"),
        (200, '{"values": [{"value": [{"name": null}]}]}'),
        (200, '{"values": [{"value": [{"name": {"value": "CpuUsage"}, "timeseries": [{"data": [{}]}]}]}]}'),
    ],
    ids=str,
)
def test_a_malformed_response_is_reported_and_fails_no_job(tmp_path: Path, answer: tuple[int, str]) -> None:
    status, body = answer
    fake = FakeMetrics(trouble=web.Response(status=status, text=body, content_type="application/json"))

    async def story(metrics: AciMetrics) -> None:
        with pytest.raises(RuntimeUnavailable, match="Azure Monitor"):
            await metrics.read(GROUP, region="swedencentral")

    _asking(tmp_path, fake, story)
