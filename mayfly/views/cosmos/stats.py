"""The stats in a separate Cosmos DB container, `figures`: one logical partition for each month of submission.

A partition has a small item for each job, which records how the job is counted, and count items: one for the month's
days, one for each day's hours and one for each hour's minutes. One transaction updates a job's item and the counts that
the job leaves and enters, if none of these items has changed since they were read. So a job is counted once, no matter
how often or by which process it is delivered. An older position never overwrites a later one, and several projectors
can work at once. The stats are updated before the views. If a view is not written, the feed delivers the job again, and
its count does not change.

The cost of a read does not depend on the number of jobs: totals come from the count items, and lists from an index of
the few jobs in them.

Source: learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch; docs/decisions/0009.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cachetools import LRUCache

from mayfly.clock import stamp
from mayfly.cosmos.account import CosmosAccount
from mayfly.cosmos.batch import OPERATIONS_MAX
from mayfly.cosmos.items import CosmosItems, Item
from mayfly.errors import TryAgain
from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import STATES, JobState
from mayfly.views.stats import LIST_MAX, AttemptStats, Attention, Bucket, Span
from mayfly.views.stats_of_job import WIDTHS, attempts_of, attention_of, begun_at

CONTAINER = "figures"

_ITEMS: Mapping[Span, int] = {"day": 7, "hour": 10, "minute": 13}
"""Length of the part of a stamp that is the id of a count item: a month's days, a day's hours, an hour's minutes."""
_JOBS_PER_BATCH = (OPERATIONS_MAX - 1) // 3
"""Each job adds at most its own item, a day's and an hour's to a batch; all jobs share the month's item."""
_TRIES = 20
_CACHED_MAX = 5_000
_ATTEMPTS_AGE_S = 30.0
"""How old an answer of `attempts` may be; it is the only call that reads many items."""
_ARCHIVED = " archived"
_COMPLETE = "complete"
"""Id and partition of the item that marks the stats as complete; it is neither a month nor a valid job id."""

_Key = tuple[str, str]
"""(month, id)."""


class CosmosJobStats:
    """`JobStats` in Cosmos DB, and their updates. Use from one event loop."""

    def __init__(self, account: CosmosAccount) -> None:
        self._container = CosmosItems(account, CONTAINER, "the job stats")
        self._attempts: tuple[float, int, Sequence[AttemptStats]] | None = None
        self._cache: LRUCache[_Key, Item] = LRUCache(_CACHED_MAX)
        """Items as last read or written here. The server rejects a write that is based on a stale one."""

    async def move(self, jobs: Sequence[Job]) -> None:
        """Count each job in its current state, unless a later position of it is already counted.

        Shapes: `jobs` has each job once.
        """
        for month, some in _by_month((stamp(job.submitted_at)[:7], job.job_id, job) for job in jobs):
            await self._move(month, some)

    async def clear(self) -> None:
        """Remove every job from the counts. A job saved concurrently is counted once or not at all."""
        # The mark goes first, so that an interrupted clear leaves the stats incomplete.
        await self._container.delete(_COMPLETE, _COMPLETE, operation="mark")
        found = await self._container.query("clear", "SELECT c.month, c.id FROM c WHERE c.kind = 'job'")
        for month, some in _by_month((item["month"], item["id"], None) for item in found):
            await self._move(month, some)

    async def complete(self) -> bool:
        """Say whether `note_complete` was called after the last clear or loss."""
        return await self._container.read(_COMPLETE, _COMPLETE) is not None

    async def note_complete(self) -> None:
        """Record that every job is counted."""
        await self._container.upsert({"id": _COMPLETE, "month": _COMPLETE, "kind": "mark"}, operation="mark")

    async def count_by_state(self) -> Mapping[JobState, int]:
        """Return the number of unarchived jobs in each state, including states with none."""
        counts = Counter[str]()
        for bucket in await self.submitted("day"):
            counts[bucket.state] += bucket.jobs
        return {state: counts[state] for state in STATES}

    async def submitted(self, span: Span, *, since: datetime | None = None, archived: bool = False) -> Sequence[Bucket]:
        first = "" if since is None else stamp(since)[: WIDTHS[span]]
        found = await self._container.query(
            f"submitted_by_{span}",
            "SELECT c.counts FROM c WHERE c.kind = @kind AND c.id >= @first",
            {"@kind": span, "@first": first[: _ITEMS[span]]},
        )
        totals = Counter[tuple[str, str]]()
        for item in found:
            for (bucket, state), jobs in _counts_in(item).items():
                if bucket >= first and (archived or not state.endswith(_ARCHIVED)):
                    totals[bucket, state.removesuffix(_ARCHIVED)] += jobs
        states = {str(state): state for state in STATES}
        return [
            Bucket(begun_at=begun_at(bucket, span), state=states[state], jobs=jobs)
            for (bucket, state), jobs in sorted(totals.items())
        ]

    async def attention(self, kind: Attention) -> tuple[int, Sequence[str]]:
        since = f"{kind}_since"
        text = f"SELECT TOP {LIST_MAX + 1} c.id FROM c WHERE IS_DEFINED(c.{since}) ORDER BY c.{since}"  # noqa: S608
        found = await self._container.query(kind, text)
        count = len(found)
        if count > LIST_MAX:
            text = f"SELECT VALUE COUNT(1) FROM c WHERE IS_DEFINED(c.{since})"  # noqa: S608 - one of two names
            count = sum(await self._container.query(f"{kind}_count", text))
        return count, [item["id"] for item in found[:LIST_MAX]]

    async def attempts(self, *, limit: int) -> Sequence[AttemptStats]:
        now = time.monotonic()
        if self._attempts is not None and self._attempts[1] >= limit and now - self._attempts[0] < _ATTEMPTS_AGE_S:
            return self._attempts[2][:limit]
        # Each of the latest `limit` attempts belongs to one of the `limit` jobs whose last attempts are the latest.
        text = f"SELECT TOP {int(limit)} c.attempts FROM c WHERE IS_DEFINED(c.ended_at) ORDER BY c.ended_at DESC"  # noqa: S608
        found = await self._container.query("attempts", text)
        ended = sorted((one for item in found for one in item["attempts"]), key=lambda one: str(one[0]), reverse=True)
        latest = [
            AttemptStats(outcome=outcome, ended_at=datetime.fromisoformat(ended_at), seconds=seconds)
            for ended_at, outcome, seconds in ended[:limit]
        ]
        self._attempts = (now, limit, latest)
        return latest

    async def positions(self, job_ids: Sequence[str]) -> Mapping[str, int]:
        names = {f"@id{number}": job_id for number, job_id in enumerate(dict.fromkeys(job_ids))}
        if not names:
            return {}
        found = await self._container.query(
            "positions",
            f"SELECT c.id, c.position FROM c WHERE c.kind = 'job' AND c.id IN ({', '.join(names)})",  # noqa: S608
            names,
        )
        return {item["id"]: int(item["position"]) for item in found}

    async def projected(self) -> int:
        return sum(await self._container.query("projected", "SELECT VALUE c.events FROM c WHERE c.kind = 'day'"))

    async def close(self) -> None:
        await self._container.close()

    async def _move(self, month: str, jobs: Mapping[str, Job | None]) -> None:
        """Update the counts for jobs of one month, all or none; None: remove the job from the counts."""
        for tried in range(_TRIES):
            before = await self._items(month, jobs)
            after = _moved(month, jobs, before)
            if not after:
                return
            changes = [(before.get(job_id), item) for job_id, item in after.items()]
            counts = await self._items(month, _counting(changes))
            changes += [(counts.get(item["id"]), item) for item in _counted(month, changes, counts)]
            operations = [_operation(*change) for change in changes]
            done = await self._container.write_batch(operations, month, operation="move")
            if done is None:
                self._forget(month, [*jobs, *(_counting(changes))])
                await asyncio.sleep(random.uniform(0, 0.02 * (tried + 1)))  # noqa: S311 - so that writers do not collide again
                continue
            for (_, item), outcome in zip(changes, done, strict=True):
                if item is not None:
                    self._remember({**item, "_etag": outcome["eTag"]})
            self._forget(month, [job_id for job_id, item in after.items() if item is None])
            return
        raise TryAgain(f"gave up after {_TRIES} concurrent writes to the job stats of {month}; retry")

    async def _items(self, month: str, ids: Iterable[str]) -> dict[str, Item]:
        """Return the existing items, by id."""
        unique = list(dict.fromkeys(ids))
        found = await asyncio.gather(*(self._item(month, one) for one in unique))
        return {one: item for one, item in zip(unique, found, strict=True) if item is not None}

    async def _item(self, month: str, one: str) -> Item | None:
        cached = self._cache.get((month, one))
        if cached is not None:
            return cached
        item = await self._container.read(one, month)
        if item is not None:
            self._remember(item)
        return item

    def _remember(self, item: Item) -> None:
        self._cache[item["month"], item["id"]] = item

    def _forget(self, month: str, ids: Iterable[str]) -> None:
        for one in ids:
            self._cache.pop((month, one), None)


def _by_month(jobs: Iterable[tuple[str, str, Job | None]]) -> Iterable[tuple[str, Mapping[str, Job | None]]]:
    """Return (month, jobs by id), with at most as many jobs as one batch can update."""
    months: dict[str, dict[str, Job | None]] = {}
    for month, job_id, job in jobs:
        months.setdefault(month, {})[job_id] = job
    for month, some in months.items():
        ids = list(some)
        for begin in range(0, len(ids), _JOBS_PER_BATCH):
            yield month, {job_id: some[job_id] for job_id in ids[begin : begin + _JOBS_PER_BATCH]}


def _moved(month: str, jobs: Mapping[str, Job | None], before: Mapping[str, Item]) -> dict[str, Item | None]:
    """Return the new items of the jobs that change; None: the item must be deleted."""
    moved: dict[str, Item | None] = {}
    for job_id, job in jobs.items():
        counted = int(before[job_id]["position"]) if job_id in before else 0
        if job is None and counted:
            moved[job_id] = None
        elif job is not None and job.position > counted:
            moved[job_id] = _of_job(month, job)
    return moved


def _of_job(month: str, job: Job) -> Item:
    item: Item = {
        "id": job.job_id,
        "month": month,
        "kind": "job",
        "position": job.position,
        "at": stamp(job.submitted_at),
        "counted_as": f"{job.state}{_ARCHIVED if job.archived else ''}",
    }
    item |= {f"{kind}_since": since for kind, since in attention_of(job).items()}
    if ended := attempts_of(job):
        item["attempts"] = [[ended_at, outcome, seconds] for _, ended_at, outcome, seconds in ended]
        item["ended_at"] = max(ended_at for _, ended_at, _, _ in ended)
    return item


def _counting(changes: Sequence[tuple[Item | None, Item | None]]) -> set[str]:
    """Return the ids of the count items of these jobs."""
    stamps = {item["at"] for change in changes for item in change if item is not None and item["kind"] == "job"}
    return {at[:width] for at in stamps for width in _ITEMS.values()}


def _counted(
    month: str, changes: Sequence[tuple[Item | None, Item | None]], counts: Mapping[str, Item]
) -> Sequence[Item]:
    """Return the count items that these changes affect, with their new counts."""
    deltas: dict[tuple[Span, str], Counter[tuple[str, str]]] = {}
    events = 0
    for before, after in changes:
        for item, sign in ((before, -1), (after, 1)):
            if item is not None:
                events += sign * int(item["position"])
                for span, width in _ITEMS.items():
                    bucket = item["at"][: WIDTHS[span]]
                    deltas.setdefault((span, item["at"][:width]), Counter())[bucket, item["counted_as"]] += sign
    changed: list[Item] = []
    for (span, one), delta in deltas.items():
        if not any(delta.values()) and not (span == "day" and events):
            continue
        known = counts.get(one, {"counts": {}})
        by_bucket: dict[str, dict[str, int]] = {}
        totals = _counts_in(known)
        totals.update(delta)
        for (bucket, state), jobs in totals.items():
            if jobs:
                by_bucket.setdefault(bucket, {})[state] = jobs
        item = {"id": one, "month": month, "kind": span, "counts": by_bucket}
        if span == "day":
            item["events"] = int(known.get("events", 0)) + events
        changed.append(item)
    return changed


def _counts_in(item: Item) -> Counter[tuple[str, str]]:
    """Return the counts of a count item by (bucket, state)."""
    return Counter(
        {(bucket, state): jobs for bucket, by_state in item["counts"].items() for state, jobs in by_state.items()}
    )


def _operation(before: Item | None, after: Item | None) -> tuple[Any, ...]:
    """Return the batch operation that turns one item into the other, if it has not changed since it was read."""
    if before is None:
        return ("create", (after,))
    unchanged = {"if_match_etag": before["_etag"]}
    return ("delete", (before["id"],), unchanged) if after is None else ("replace", (before["id"], after), unchanged)
