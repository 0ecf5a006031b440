"""Stats of the log in Cosmos DB: the container's usage statistics, and counts on the index.

A container's description includes its number of items and bytes, for one request unit; these may lag by minutes. If
the server does not report them (an emulator), the items are counted instead. Growth is counted by time span on the
index of `global_position`. Past spans are counted only once. Events carry their writer's clock, so an earlier count
misses an event that is more than an hour late.

Source: learn.microsoft.com/rest/api/cosmos-db/common-cosmosdb-rest-response-headers (x-ms-resource-usage, in KB).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from cachetools import LRUCache

from mayfly.cosmos.account import CosmosAccount
from mayfly.cosmos.items import CosmosItems
from mayfly.log.cosmos.event_log import CONTAINER, SUBJECT, last_position_of
from mayfly.log.stats import LogSize, Written

_SETTLED_AFTER = timedelta(hours=1)
_SPANS_MAX = 1_000


class CosmosLogStats:
    """`LogStats` in Cosmos DB. Use from one event loop."""

    def __init__(self, account: CosmosAccount) -> None:
        self._items = CosmosItems(account, CONTAINER, SUBJECT)
        self._spans: LRUCache[tuple[datetime | None, datetime], int] = LRUCache(_SPANS_MAX)
        """By (after, until), the number of events of past spans."""

    async def size(self) -> LogSize:
        async with self._items.call("size", "read") as (container, charge):
            described = await container.read(populate_quota_info=True)
        headers = described.get_response_headers()
        charge(headers, None)
        usage = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", headers.get("x-ms-resource-usage", ""))}
        if "documentsCount" in usage:
            size_kb = usage.get("collectionSize")
            log_bytes = None if size_kb is None else size_kb * 1_024
            return LogSize(events=usage["documentsCount"], log_bytes=log_bytes, exact=False)
        settled = (datetime.now(UTC) - _SETTLED_AFTER).replace(minute=0, second=0, microsecond=0)
        return LogSize(events=await self._count(None, settled) + await self._count(settled, None), log_bytes=None)

    async def written_by(self, times: Sequence[datetime]) -> Sequence[int]:
        edges = sorted(set(times))
        if not edges:
            return []
        size = await self.size()
        spans = [*pairwise(edges), (edges[-1], None)]
        counts = await asyncio.gather(*(self._count(early, late) for early, late in spans))
        known, count = {}, size.events
        for edge, later in zip(reversed(edges), reversed(counts), strict=True):
            count -= later
            known[edge] = max(count, 0)
        return [known[at] for at in times]

    async def last(self, limit: int) -> Sequence[Written]:
        text = f"SELECT TOP {int(limit)} c.job_id, c.position, c.at FROM c ORDER BY c.global_position DESC"  # noqa: S608
        return [
            Written(job_id=item["job_id"], position=int(item["position"]), at=datetime.fromisoformat(item["at"]))
            for item in await self._items.query("last", text)
        ]

    async def close(self) -> None:
        await self._items.close()

    async def _count(self, after: datetime | None, until: datetime | None) -> int:
        """Return how many events were written after one time and at or before another."""
        if until is not None and (after, until) in self._spans:
            return self._spans[after, until]
        bounds: dict[str, object] = {"@after": "" if after is None else last_position_of(after)}
        text = "SELECT VALUE COUNT(1) FROM c WHERE c.global_position > @after"
        if until is not None:
            bounds["@until"] = last_position_of(until)
            text += " AND c.global_position <= @until"
        count = int(sum(await self._items.query("count", text, bounds)))
        if until is not None and until <= datetime.now(UTC) - _SETTLED_AFTER:
            self._spans[after, until] = count
        return count
