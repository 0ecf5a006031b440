"""The views in a Cosmos DB container: one logical partition and one item per job, and the figures beside them.

A save is conditional on what was read before (`if_match`), so that of two projectors the one with the later position
wins whichever writes last (I10). Lists are queries over all partitions: few, and served by the indexes that
mayfly/cosmos/containers.json names.

Source: learn.microsoft.com/azure/cosmos-db/nosql/database-transactions-optimistic-concurrency.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from mayfly.cosmos.account import WRITE_TRIES, CosmosAccount, charge_of, translated
from mayfly.cosmos.queries import query
from mayfly.errors import TryAgain
from mayfly.jobs.job import Job, from_json, to_json
from mayfly.jobs.lifecycle import JobState
from mayfly.views.cosmos.stats import CosmosJobStats
from mayfly.views.cursor import cursor_after, parse_cursor
from mayfly.views.job_views import PAGE_MAX, JobFilter, Page

CONTAINER = "views"

_AT_ONCE = 32
"""Calls under way at one time; the app's share of the account's throughput is the real limit."""
_SAVE_TRIES = 20
_KEPT_MAX = 10_000
_MARK = "complete"
"""The item that says that the views are complete; no job has such an id."""
_VERSION = 2
"""Of the documents; views of another version are made again from the log."""

_T = TypeVar("_T")


class CosmosJobViews:
    """`JobViews` in Cosmos DB. Use from one event loop."""

    def __init__(self, account: CosmosAccount) -> None:
        account.join()
        self._account = account
        self._query = partial(query, account, CONTAINER, "the job views could not be read")
        self._figures = CosmosJobStats(account)
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._kept: dict[str, tuple[int, str]] = {}
        """By job: the (position, etag) last seen here, so that a save need not read again; the server judges it."""

    async def get_many(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """See `JobViews.get_many`."""
        wanted = list(dict.fromkeys(job_ids))
        items = await asyncio.gather(*(self._one_of_many(self._item(job_id)) for job_id in wanted))
        return {job_id: from_json(item["document"]) for job_id, item in zip(wanted, items, strict=True) if item}

    async def save(self, jobs: Sequence[Job]) -> None:
        """See `JobViews.save`."""
        latest: dict[str, Job] = {}
        for job in jobs:
            if job.job_id not in latest or latest[job.job_id].position < job.position:
                latest[job.job_id] = job
        await self._figures.move(list(latest.values()))  # first: see there
        await asyncio.gather(*(self._one_of_many(self._save(job)) for job in latest.values()))

    async def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
        """See `JobViews.page`."""
        limit = min(limit, PAGE_MAX)
        clauses, parameters = _conditions(job_filter, cursor)
        clauses.append("IS_DEFINED(c.state)")  # leaves out what is no job: the mark of completeness
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
        return await self._figures.count_by_state()

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
        self._kept.clear()
        await self._delete(_MARK)  # first: whatever happens on the way, they are incomplete
        await self._figures.clear()
        job_ids = await self._query("clear", "SELECT VALUE c.job_id FROM c")
        await asyncio.gather(*(self._one_of_many(self._delete(job_id)) for job_id in job_ids))

    async def complete(self) -> bool:
        """See `JobViews.complete`."""
        item = await self._item(_MARK)
        return item is not None and item["position"] == _VERSION and await self._figures.complete()

    async def note_complete(self) -> None:
        """See `JobViews.note_complete`."""
        await self._figures.note_complete()
        container = await self._account.container(CONTAINER)
        mark = {"id": _MARK, "job_id": _MARK, "position": _VERSION}
        try:
            await container.upsert_item(mark, retry_write=WRITE_TRIES, response_hook=charge_of(CONTAINER, "mark"))
        except AzureError as error:
            raise translated(error, "the job views could not be written") from error

    async def close(self) -> None:
        """See `JobViews.close`."""
        await self._figures.close()
        await self._account.leave()

    async def _save(self, job: Job) -> None:
        container = await self._account.container(CONTAINER)
        document = _document(job)
        hook = charge_of(CONTAINER, "save")
        position, etag = self._kept.get(job.job_id, (0, ""))
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
                raise translated(error, "the job views could not be written") from error
            self._keep(written)
            return
        raise TryAgain(f"the view of {job.job_id} moved {_SAVE_TRIES} times while it was saved")

    async def _item(self, job_id: str) -> dict[str, Any] | None:
        container = await self._account.container(CONTAINER)
        try:
            item: dict[str, Any] = await container.read_item(job_id, job_id, response_hook=charge_of(CONTAINER, "get"))
        except CosmosResourceNotFoundError as error:
            if error.sub_status:  # the container itself is missing, not the item
                raise translated(error, "the job views could not be read") from error
            self._kept.pop(job_id, None)
            return None
        except AzureError as error:
            raise translated(error, "the job views could not be read") from error
        self._keep(item)
        return item

    async def _delete(self, job_id: str) -> None:
        container = await self._account.container(CONTAINER)
        try:
            await container.delete_item(job_id, job_id, response_hook=charge_of(CONTAINER, "delete"))
        except CosmosResourceNotFoundError:
            return
        except AzureError as error:
            raise translated(error, "the job views could not be cleared") from error

    async def _one_of_many(self, call: Awaitable[_T]) -> _T:
        async with self._at_once:
            return await call

    def _keep(self, item: Mapping[str, Any]) -> None:
        self._kept.pop(item["job_id"], None)
        self._kept[item["job_id"]] = (int(item["position"]), str(item["_etag"]))
        if len(self._kept) > _KEPT_MAX:
            del self._kept[next(iter(self._kept))]


def _document(job: Job) -> dict[str, Any]:
    """Return the item: the folded job as text, so that no number changes, and beside it what lists look for."""
    return {
        "id": job.job_id,
        "job_id": job.job_id,
        "position": job.position,
        "state": job.state,
        "name": job.spec.name or "",
        "submitted_at": _stamp(job.submitted_at),
        "archived": job.archived,
        "settled": job.settled,
        "labels": [f"{name}={value}" for name, value in job.spec.labels.items()],
        "document": to_json(job),
    }


def _conditions(job_filter: JobFilter, cursor: str | None) -> tuple[list[str], dict[str, object]]:
    """Return the conditions and the values they name; values are never part of the text."""
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
        values["@from"] = _stamp(job_filter.submitted_after)
    if job_filter.submitted_before is not None:
        clauses.append("c.submitted_at < @until")
        values["@until"] = _stamp(job_filter.submitted_before)
    if cursor is not None:
        clauses.append("(c.submitted_at < @last_at OR (c.submitted_at = @last_at AND c.job_id < @last_id))")
        values["@last_at"], values["@last_id"] = parse_cursor(cursor)
    return clauses, values


def _stamp(at: datetime) -> str:
    """Return a time as text that sorts as the time does."""
    return at.isoformat(timespec="microseconds")
