"""The metrics endpoint of one region after another: the batch API of Azure Monitor, as its real client asks it.

Source: learn.microsoft.com/rest/api/monitor/metrics-batch, 2024-02-01.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web

DOMAIN = "metrics.test"
_NAMESPACE = "Microsoft.ContainerInstance/containerGroups"
_UNITS = {"CpuUsage": "Count", "MemoryUsage": "Bytes"}

Series = Mapping[datetime, float | None]


@dataclass(kw_only=True)
class FakeMetrics:
    """`groups`: by resource id, its region and the series of each metric. None in a series: a minute without value."""

    groups: dict[str, tuple[str, Mapping[str, Sequence[Series]]]] = field(default_factory=dict)
    trouble: web.Response | None = None
    """The response to every request."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Region and first resource id of each question."""

    async def answer(self, request: web.Request) -> web.Response:
        region = request.host.partition(".")[0]
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return _error(401, "InvalidAuthenticationToken", "no token")
        if self.trouble is not None:
            return self.trouble
        asked = request.query
        if request.method != "POST" or not request.path.endswith("/metrics:getBatch"):
            return _error(404, "NotFound", request.path)
        if asked["api-version"] != "2024-02-01" or asked["metricnamespace"] != _NAMESPACE:
            return _error(400, "BadRequest", "Unknown namespace or version")
        begin, end = (datetime.fromisoformat(asked[name]) for name in ("starttime", "endtime"))
        resource_ids = (await request.json())["resourceids"]
        self.asked.append((region, resource_ids[0]))
        values = []
        for resource_id in resource_ids:
            at, metrics = self.groups.get(resource_id, (region, {}))
            if at != region:
                return _error(400, "BadRequest", f"Resource {resource_id} is not in {region}")
            values.append(
                {
                    "starttime": asked["starttime"],
                    "endtime": asked["endtime"],
                    "interval": asked["interval"],
                    "namespace": _NAMESPACE,
                    "resourceregion": region,
                    "resourceid": resource_id,
                    "value": [
                        _metric(resource_id, name, metrics.get(name, ()), asked["aggregation"].lower(), begin, end)
                        for name in asked["metricnames"].split(",")
                    ],
                }
            )
        return web.json_response({"values": values})


@asynccontextmanager
async def serving_metrics(fake: FakeMetrics, certificate: Path) -> AsyncIterator[int]:
    """Serve over TLS until the block is left; the value is the port."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", fake.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _metric(
    resource_id: str, name: str, series: Sequence[Series], aggregation: str, begin: datetime, end: datetime
) -> dict[str, Any]:
    return {
        "id": f"{resource_id}/providers/Microsoft.Insights/metrics/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "unit": _UNITS[name],
        "errorCode": "Success",
        "timeseries": [
            {
                "metadatavalues": [],
                "data": [
                    # A minute of which nothing is known has its time and no value.
                    {"timeStamp": _text(at), **({aggregation: value} if value is not None else {})}
                    for at, value in line.items()
                    if begin <= at <= end
                ],
            }
            for line in series
        ],
    }


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
