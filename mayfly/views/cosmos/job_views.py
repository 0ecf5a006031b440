"""The views in a Cosmos DB container: one logical partition and one item per job. The stats are updated with them.

A save is conditional on the version read before (`if_match`), so of two projectors the one with the later position
wins, whichever writes last (I10). Lists are queries over all partitions; they are few, and the indexes in
mayfly/cosmos/containers.json serve them.

Source: learn.microsoft.com/azure/cosmos-db/nosql/database-transactions-optimistic-concurrency.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)
from cachetools import LRUCache

from mayfly.clock import stamp
from mayfly.cosmos.account import WRITE_TRIES, CosmosAccount, charge_of, translated
from mayfly.cosmos.items import delete_item, read_item
from mayfly.cosmos.queries import query
from mayfly.errors import TryAgain
from mayfly.jobs.job import Job, from_json, to_json
from mayfly.jobs.lifecycle import JobState
from mayfly.views.cosmos.stats import CosmosJobStats
from mayfly.views.cursor import cursor_after, parse_cursor
from mayfly.views.job_views import PAGE_MAX, JobFilter, Page

CONTAINER = "views"

_CONCURRENCY_MAX = 32
"""Concurrent calls. The app's share of the account's throughput is the real limit."""
_SAVE_TRIES = 20
_CACHED_MAX = 10_000
_COMPLETE = "complete"
"""Id of the item that marks the views as complete; it is not a valid job id."""
_VERSION = 2
"""Version of the documents; views of another version are rebuilt from the log."""
_READ_FAILED = "the job views could not be read"
_WRITE_FAILED = "the job views could not be written"

_T = TypeVar("_T")


class CosmosJobViews:
    """`JobViews` in Cosmos DB. Use from one event loop."""

    def __init__(self, account: CosmosAccount) -> None:
        account.join()
        self._account = account
        self._query = partial(query, account, CONTAINER, _READ_FAILED)
        self._stats = CosmosJobStats(account)
        self._slots = asyncio.Semaphore(_CONCURRENCY_MAX)
        self._cache: LRUCache[str, tuple[int, str]] = LRUCache(_CACHED_MAX)
        """By job, the last known (position, etag): a save need not read first, and the server rejects stale etags."""

    async def get_many(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """See `JobViews.get_many`."""
        unique = list(dict.fromkeys(job_ids))
        items = await asyncio.gather(*(self._in_a_slot(self._item(job_id)) for job_id in unique))
        return {job_id: from_json(item["document"]) for job_id, item in zip(unique, items, strict=True) if item}

    async def save(self, jobs: Sequence[Job]) -> None:
        """See `JobViews.save`."""
        latest: dict[str, Job] = {}
        for job in jobs:
            if job.job_id not in latest or latest[job.job_id].position < job.position:
                latest[job.job_id] = job
        await self._stats.move(list(latest.values()))  # first; see `cosmos/stats.py`
        await asyncio.gather(*(self._in_a_slot(self._save(job)) for job in latest.values()))

    async def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
        """See `JobViews.page`."""
        limit = min(limit, PAGE_MAX)
        clauses, parameters = _conditions(job_filter, cursor)
        clauses.append("IS_DEFINED(c.state)")  # excludes the item that marks completeness
        if job_filter.states is not None and not job_filter.states:
            return Page(jobs=[], cursor=None)
        where = " AND ".join(clauses)
        found = await self._query(
            "page",
            f"SELECT TOP {limit + 1} c.document FROM c WHERE {where}"  # noqa: S608 - values are parameters
            " ORDER BY c.submitted_at DESC, c.job_id DESC",
            parameters,
        )
        jobs = [from_json(item["document"]) for item in found[:limit]]
        return Page(jobs=jobs, cursor=cursor_after(jobs[-1]) if len(found) > limit else None)

    async def count_by_state(self) -> Mapping[JobState, int]:
        """See `JobViews.count_by_state`."""
        return await self._stats.count_by_state()

    async def unsettled(self, *, after: str = "", limit: int = 1_000) -> Sequence[str]:
        """See `JobViews.unsettled`."""
        return await self._query(
            "unsettled",
            f"SELECT TOP {int(limit)} VALUE c.job_id FROM c"  # noqa: S608 - limit is a number
            " WHERE c.settled = false AND c.job_id > @after ORDER BY c.job_id",
            {"@after": after},
        )

    async def clear(self) -> None:
        """See `JobViews.clear`."""
        self._cache.clear()
        await self._delete(_COMPLETE)  # first, so that an interrupted clear leaves the views incomplete
        await self._stats.clear()
        job_ids = await self._query("clear", "SELECT VALUE c.job_id FROM c")
        await asyncio.gather(*(self._in_a_slot(self._delete(job_id)) for job_id in job_ids))

    async def complete(self) -> bool:
        """See `JobViews.complete`."""
        item = await self._item(_COMPLETE)
        return item is not None and item["position"] == _VERSION and await self._stats.complete()

    async def note_complete(self) -> None:
        """See `JobViews.note_complete`."""
        await self._stats.note_complete()
        container = await self._account.container(CONTAINER)
        mark = {"id": _COMPLETE, "job_id": _COMPLETE, "position": _VERSION}
        try:
            await container.upsert_item(mark, retry_write=WRITE_TRIES, response_hook=charge_of(CONTAINER, "mark"))
        except AzureError as error:
            raise translated(error, _WRITE_FAILED) from error

    async def close(self) -> None:
        """See `JobViews.close`."""
        await self._stats.close()
        await self._account.leave()

    async def _save(self, job: Job) -> None:
        container = await self._account.container(CONTAINER)
        document = _document(job)
        hook = charge_of(CONTAINER, "save")
        position, etag = self._cache.get(job.job_id, (0, ""))
        for _ in range(_SAVE_TRIES):
            if position >= job.position:
                return
            try:
                if etag:
                    written = await container.replace_item(
                        job.job_id,
                        document,
                        etag=etag,
                        match_condition=MatchConditions.IfNotModified,
                        retry_write=WRITE_TRIES,
                        response_hook=hook,
                    )
                else:
                    written = await container.create_item(document, retry_write=WRITE_TRIES, response_hook=hook)
            except (CosmosAccessConditionFailedError, CosmosResourceExistsError, CosmosResourceNotFoundError) as error:
                hook(error.headers or {}, None)
                item = await self._item(job.job_id)
                position, etag = (int(item["position"]), str(item["_etag"])) if item else (0, "")
                continue
            except AzureError as error:
                raise translated(error, _WRITE_FAILED) from error
            self._remember(written)
            return
        raise TryAgain(f"gave up after {_SAVE_TRIES} concurrent writes to the view of {job.job_id}; retry")

    async def _item(self, job_id: str) -> dict[str, Any] | None:
        item = await read_item(self._account, CONTAINER, _READ_FAILED, "get", job_id, job_id)
        if item is None:
            self._cache.pop(job_id, None)
        else:
            self._remember(item)
        return item

    async def _delete(self, job_id: str) -> None:
        await delete_item(self._account, CONTAINER, "the job views could not be cleared", "delete", job_id, job_id)

    async def _in_a_slot(self, call: Awaitable[_T]) -> _T:
        async with self._slots:
            return await call

    def _remember(self, item: Mapping[str, Any]) -> None:
        self._cache[item["job_id"]] = (int(item["position"]), str(item["_etag"]))


def _document(job: Job) -> dict[str, Any]:
    """Return the item: the folded job as text, so that no number changes, and the fields that lists filter by."""
    return {
        "id": job.job_id,
        "job_id": job.job_id,
        "position": job.position,
        "state": job.state,
        "name": job.spec.name or "",
        "submitted_at": stamp(job.submitted_at),
        "archived": job.archived,
        "settled": job.settled,
        "labels": [f"{name}={value}" for name, value in job.spec.labels.items()],
        "document": to_json(job),
    }


def _conditions(job_filter: JobFilter, cursor: str | None) -> tuple[list[str], dict[str, object]]:
    """Return the conditions and the values of their parameters; values are never part of the text."""
    clauses: list[str] = []
    values: dict[str, object] = {}
    if not job_filter.archived:
        clauses.append("c.archived = false")
    if job_filter.states is not None:
        names = {f"@state{number}": state for number, state in enumerate(sorted(job_filter.states))}
        clauses.append(f"c.state IN ({', '.join(names)})")
        values |= names
    for number, (name, value) in enumerate(job_filter.labels.items()):
        clauses.append(f"ARRAY_CONTAINS(c.labels, @label{number})")
        values[f"@label{number}"] = f"{name}={value}"
    if job_filter.name_contains is not None:
        clauses.append("(CONTAINS(c.job_id, @part) OR CONTAINS(c.name, @part))")
        values["@part"] = job_filter.name_contains
    if job_filter.submitted_after is not None:
        clauses.append("c.submitted_at > @from")
        values["@from"] = stamp(job_filter.submitted_after)
    if job_filter.submitted_before is not None:
        clauses.append("c.submitted_at < @until")
        values["@until"] = stamp(job_filter.submitted_before)
    if cursor is not None:
        clauses.append("(c.submitted_at < @last_at OR (c.submitted_at = @last_at AND c.job_id < @last_id))")
        values["@last_at"], values["@last_id"] = parse_cursor(cursor)
    return clauses, values
