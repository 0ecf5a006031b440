"""What container groups used, as Azure Monitor publishes it: a reading a minute, some minutes late.

Source: azure-monitor-querymetrics 1.0; supported-metrics of Microsoft.ContainerInstance/containerGroups: `CpuUsage` in
millicores and `MemoryUsage` in bytes. It asks for Monitoring Reader on the subscription. A job of a minute or two ends
before its first reading.
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
_LONGEST = timedelta(hours=24)
_GRAIN = timedelta(minutes=1)
_NO_SENSE = (AttributeError, KeyError, TypeError, ValueError)
"""What the client raises, as it is, for an answer in which something is missing; no reading is worth a failed job."""


class AciMetrics:
    """See `Metrics` in `aci.py`. One client for each region, since the data plane is regional."""

    def __init__(self, audience: str, credential: Any, **options: Any) -> None:
        """`options` go to the SDK's clients; tests reach a server of their own with them."""
        self._audience = audience
        self._credential = credential
        self._options = options
        self._clients: dict[str, Any] = {}

    async def read(self, resource_id: str, *, region: str) -> Sequence[MetricSample]:
        """Return the readings of the last day.

        Errors: `RuntimeUnavailable`.
        """
        try:
            results = await self._client(region).query_resources(
                resource_ids=[resource_id],
                metric_namespace=_NAMESPACE,
                metric_names=[_CPU, _MEMORY],
                timespan=_LONGEST,
                granularity=_GRAIN,
                aggregations=["Average"],
            )
            return samples_of(results)
        except AzureError as error:
            raise RuntimeUnavailable(f"Azure Monitor did not answer: {type(error).__name__}") from error
        except _NO_SENSE as error:
            raise RuntimeUnavailable(f"Azure Monitor answered nonsense: {type(error).__name__} {error}") from error

    async def close(self) -> None:
        """Close the connections."""
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
    """Put the series of CPU and memory together by their times; a minute without both is left out."""
    series: dict[str, dict[Any, float]] = {_CPU: {}, _MEMORY: {}}
    for result in results:
        for metric in result.metrics:
            for line in metric.timeseries:
                for point in line.data:
                    if point.average is not None and metric.name in series:
                        series[metric.name][point.timestamp] = float(point.average)
    return [
        MetricSample(at=at, cpu_cores=cpu / 1_000, memory_bytes=int(series[_MEMORY][at]))
        for at, cpu in sorted(series[_CPU].items())
        if at in series[_MEMORY]
    ]
