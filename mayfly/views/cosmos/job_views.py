"""The views in a Cosmos DB container: one logical partition and one item per job. The stats are updated with them.

A save is conditional on the version read before (`if_match`), so of two projectors the one with the later position
wins, whichever writes last (I10). Lists are queries over all partitions; they are few, and the indexes in
mayfly/cosmos/containers.json serve them.

Source: learn.microsoft.com/azure/cosmos-db/nosql/database-transactions-optimistic-concurrency.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar

from cachetools import LRUCache

from mayfly.clock import stamp
from mayfly.cosmos.account import CosmosAccount
from mayfly.cosmos.items import CosmosItems, Item
from mayfly.errors import TryAgain
from mayfly.jobs.job import Job, from_json
from mayfly.jobs.lifecycle import JobState
from mayfly.views.cosmos.stats import CosmosJobStats
from mayfly.views.cursor import parse_cursor
from mayfly.views.job_views import PAGE_MAX, JobFilter, Page
from mayfly.views.stored_job import fields_of, latest_of, page_of

CONTAINER = "views"

_CONCURRENCY_MAX = 32
"""Concurrent calls. The app's share of the account's throughput is the real limit."""
_SAVE_TRIES = 20
_CACHED_MAX = 10_000
_COMPLETE = "complete"
"""Id of the item that marks the views as complete; it is not a valid job id."""
_VERSION = 2
"""Version of the documents; views of another version are rebuilt from the log."""

_T = TypeVar("_T")


class CosmosJobViews:
    """`JobViews` in Cosmos DB. Use from one event loop."""

    def __init__(self, account: CosmosAccount) -> None:
        self._items = CosmosItems(account, CONTAINER, "the job views")
        self._stats = CosmosJobStats(account)
        self._slots = asyncio.Semaphore(_CONCURRENCY_MAX)
        self._cache: LRUCache[str, tuple[int, str]] = LRUCache(_CACHED_MAX)
        """By job, the last known (position, etag): a save need not read first, and the server rejects stale etags."""

    async def get_many(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        unique = list(dict.fromkeys(job_ids))
        items = await asyncio.gather(*(self._in_a_slot(self._item(job_id)) for job_id in unique))
        return {job_id: from_json(item["document"]) for job_id, item in zip(unique, items, strict=True) if item}

    async def save(self, jobs: Sequence[Job]) -> None:
        latest = latest_of(jobs)
        await self._stats.move(latest)  # first; see `cosmos/stats.py`
        await asyncio.gather(*(self._in_a_slot(self._save(job)) for job in latest))

    async def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
        limit = min(limit, PAGE_MAX)
        where, parameters = _conditions(job_filter, cursor)
        if job_filter.states is not None and not job_filter.states:
            return Page(jobs=[], cursor=None)
        found = await self._items.query(
            "page",
            f"SELECT TOP {limit + 1} VALUE c.document FROM c WHERE {where}"  # noqa: S608 - values are parameters
            " ORDER BY c.submitted_at DESC, c.job_id DESC",
            parameters,
        )
        return page_of(found, limit)

    async def count_by_state(self) -> Mapping[JobState, int]:
        return await self._stats.count_by_state()

    async def unsettled(self, *, after: str = "", limit: int = 1_000) -> Sequence[str]:
        return await self._items.query(
            "unsettled",
            f"SELECT TOP {int(limit)} VALUE c.job_id FROM c"  # noqa: S608 - limit is a number
            " WHERE c.settled = false AND c.job_id > @after ORDER BY c.job_id",
            {"@after": after},
        )

    async def clear(self) -> None:
        self._cache.clear()
        # Delete this first, so that an interrupted clear leaves the views incomplete.
        await self._items.delete(_COMPLETE, _COMPLETE)
        await self._stats.clear()
        job_ids = await self._items.query("clear", "SELECT VALUE c.job_id FROM c")
        await asyncio.gather(*(self._in_a_slot(self._items.delete(job_id, job_id)) for job_id in job_ids))

    async def complete(self) -> bool:
        item = await self._item(_COMPLETE)
        return item is not None and item["position"] == _VERSION and await self._stats.complete()

    async def note_complete(self) -> None:
        await self._stats.note_complete()
        await self._items.upsert({"id": _COMPLETE, "job_id": _COMPLETE, "position": _VERSION}, operation="mark")

    async def close(self) -> None:
        await self._stats.close()
        await self._items.close()

    async def _save(self, job: Job) -> None:
        fields = fields_of(job)
        labels = [f"{name}={value}" for name, value in job.spec.labels.items()]
        item = {"id": job.job_id, **fields, "labels": labels}
        for _ in range(_SAVE_TRIES):
            position, etag = self._cache.get(job.job_id, (0, ""))
            if position >= job.position:
                return
            written = await self._items.write(item, etag=etag, operation="save")
            if written is not None:
                self._remember(written)
                return
            await self._item(job.job_id)  # for the next try
        raise TryAgain(f"gave up after {_SAVE_TRIES} concurrent writes to the view of {job.job_id}; retry")

    async def _item(self, job_id: str) -> Item | None:
        item = await self._items.read(job_id, job_id)
        if item is None:
            self._cache.pop(job_id, None)
        else:
            self._remember(item)
        return item

    async def _in_a_slot(self, call: Awaitable[_T]) -> _T:
        async with self._slots:
            return await call

    def _remember(self, item: Item) -> None:
        self._cache[item["job_id"]] = (int(item["position"]), str(item["_etag"]))


def _conditions(job_filter: JobFilter, cursor: str | None) -> tuple[str, dict[str, object]]:
    """Return the condition and the values of its parameters; values are never part of the text."""
    clauses = ["IS_DEFINED(c.state)"]  # excludes the item that marks completeness
    parameters: dict[str, object] = {}

    def add(clause: str, **values: object) -> None:
        clauses.append(clause)
        parameters.update({f"@{name}": value for name, value in values.items()})

    if not job_filter.archived:
        add("c.archived = false")
    if job_filter.states is not None:
        names = {f"state{number}": state for number, state in enumerate(sorted(job_filter.states))}
        add(f"c.state IN ({', '.join(f'@{name}' for name in names)})", **names)
    for number, (name, value) in enumerate(job_filter.labels.items()):
        add(f"ARRAY_CONTAINS(c.labels, @label{number})", **{f"label{number}": f"{name}={value}"})
    if job_filter.name_contains is not None:
        add("(CONTAINS(c.job_id, @part) OR CONTAINS(c.name, @part))", part=job_filter.name_contains)
    if job_filter.submitted_after is not None:
        add("c.submitted_at > @after", after=stamp(job_filter.submitted_after))
    if job_filter.submitted_before is not None:
        add("c.submitted_at < @before", before=stamp(job_filter.submitted_before))
    if cursor is not None:
        at, job_id = parse_cursor(cursor)
        add("(c.submitted_at < @at OR (c.submitted_at = @at AND c.job_id < @job_id))", at=at, job_id=job_id)
    return " AND ".join(clauses), parameters
