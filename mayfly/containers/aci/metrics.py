"""CPU and memory use of container groups, from Azure Monitor: one sample per minute, a few minutes late.

A job of a minute or two ends before its first sample. Reading requires the role Monitoring Reader on the subscription.

Source: azure-monitor-querymetrics 1.0; supported-metrics of Microsoft.ContainerInstance/containerGroups: `CpuUsage` in
millicores and `MemoryUsage` in bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from azure.core.exceptions import AzureError
from azure.monitor.querymetrics.aio import MetricsClient

from mayfly.containers.runtime import MetricSample
from mayfly.errors import RuntimeUnavailable

_NAMESPACE = "Microsoft.ContainerInstance/containerGroups"
_CPU, _MEMORY = "CpuUsage", "MemoryUsage"
_TIMESPAN_MAX = timedelta(hours=24)
_GRAIN = timedelta(minutes=1)
_MALFORMED = (AttributeError, KeyError, TypeError, ValueError)
"""The client raises these unchanged if a response is incomplete. Missing metrics must not fail a job."""


class AciMetrics:
    """Read the metrics of groups. There is one client per region, because the data plane is regional."""

    def __init__(self, audience: str, credential: Any, **options: Any) -> None:
        """Pass `options` to the SDK's clients; tests use them to reach their own server."""
        self._audience = audience
        self._credential = credential
        self._options = options
        self._clients: dict[str, Any] = {}

    async def read(self, resource_id: str, *, region: str) -> Sequence[MetricSample]:
        """Return the samples of the last 24 hours, oldest first. Errors: `RuntimeUnavailable`."""
        try:
            results = await self._client(region).query_resources(
                resource_ids=[resource_id],
                metric_namespace=_NAMESPACE,
                metric_names=[_CPU, _MEMORY],
                timespan=_TIMESPAN_MAX,
                granularity=_GRAIN,
                aggregations=["Average"],
            )
            return samples_of(results)
        except AzureError as error:
            raise RuntimeUnavailable(f"Azure Monitor did not answer: {type(error).__name__}") from error
        except _MALFORMED as error:
            raise RuntimeUnavailable(
                f"Azure Monitor sent an incomplete response: {type(error).__name__} {error}"
            ) from error

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        await self._credential.close()

    def _client(self, region: str) -> Any:
        if region not in self._clients:
            host = self._audience.removeprefix("https://")
            self._clients[region] = MetricsClient(
                f"https://{region}.{host}", self._credential, audience=self._audience, retry_total=0, **self._options
            )
        return self._clients[region]


def samples_of(results: Sequence[Any]) -> Sequence[MetricSample]:
    """Join the CPU and memory series by time; a minute that lacks either is left out."""
    series: dict[str, dict[Any, float]] = {_CPU: {}, _MEMORY: {}}
    for result in results:
        for metric in result.metrics:
            for one in metric.timeseries:
                for point in one.data:
                    if point.average is not None and metric.name in series:
                        series[metric.name][point.timestamp] = float(point.average)
    return [
        MetricSample(at=at, cpu_cores=cpu / 1_000, memory_bytes=int(series[_MEMORY][at]))
        for at, cpu in sorted(series[_CPU].items())
        if at in series[_MEMORY]
    ]
