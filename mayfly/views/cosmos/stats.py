"""The figures in a Cosmos DB container of their own: one logical partition for each month of submission.

A partition holds a small item for each job, which says how it is counted, and the items that count: the month's days,
each day's hours and each hour's minutes. A job moves in one transaction with the counts that it leaves and enters, on
the condition that its item and theirs are as they were read. So it counts once however often it is delivered and
whoever delivers it, an older position never undoes a later one, and several projectors can move jobs at once. The
figures move before the views do: if the view is not written, the feed brings the job again, and it is counted already.

Nothing that is asked reads more where there are more jobs: counts come from the counting items, and lists from the
index of the few jobs that are in them.

Source: learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch; docs/decisions/0009.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from azure.core.exceptions import AzureError
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosResourceNotFoundError

from mayfly.cosmos.account import WRITE_TRIES, CosmosAccount, charge_of, translated
from mayfly.cosmos.batch import OPERATIONS_MAX, write_batch
from mayfly.cosmos.queries import query
from mayfly.errors import TryAgain
from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import STATES, JobState
from mayfly.views.stats import LIST_MAX, AttemptStats, Attention, Bucket, Span
from mayfly.views.stats_of_job import WIDTHS, attempts_of, attention_of, begun_at, stamp

CONTAINER = "figures"

_ITEMS: Mapping[Span, int] = {"day": 7, "hour": 10, "minute": 13}
"""How much of a stamp names the item that holds a span's counts: a month's days, a day's hours, an hour's minutes."""
_JOBS_AT_ONCE = (OPERATIONS_MAX - 1) // 3
"""A job brings at most its own item, a day's and an hour's into a batch; all share their month's."""
_TRIES = 20
_CONFLICTS = (404, 409, 412)
_KEPT_MAX = 5_000
_ARCHIVED = " archived"
_MARK = "complete"
"""The item that says that every job is counted; no month and no job has such a name."""

_Item = dict[str, Any]
_Key = tuple[str, str]
"""(month, id)."""


class CosmosJobStats:
    """`JobStats` in Cosmos DB, and what moves them. Use from one event loop."""

    def __init__(self, account: CosmosAccount, *, attempts_age_s: float = 30.0) -> None:
        """Nothing is sent yet.

        Units: `attempts_age_s`: how old an answer about attempts may be. It is the one question that reads many items.
        """
        account.join()
        self._account = account
        self._query = partial(query, account, CONTAINER, "the figures could not be read")
        self._attempts_age_s = attempts_age_s
        self._attempts: tuple[float, int, Sequence[AttemptStats]] | None = None
        self._kept: dict[_Key, _Item] = {}
        """Items as they were last seen here; the server judges whether they still are so."""

    async def move(self, jobs: Sequence[Job]) -> None:
        """Count each job as it is now, unless a later position of it is counted already.

        Shapes: each job once.
        """
        for month, some in _by_month((stamp(job.submitted_at)[:7], job.job_id, job) for job in jobs):
            await self._move(month, some)

    async def clear(self) -> None:
        """Count no job any more. Others may move jobs meanwhile: each is counted once or not at all."""
        await self._delete_mark()  # first: whatever happens on the way, they are incomplete
        found = await self._query("clear", "SELECT c.month, c.id FROM c WHERE c.kind = 'job'")
        for month, some in _by_month((item["month"], item["id"], None) for item in found):
            await self._move(month, some)

    async def complete(self) -> bool:
        """Say whether `note_complete` was called since they were cleared or lost."""
        self._forget(_MARK, [_MARK])  # another process may have cleared them
        return await self._item(_MARK, _MARK) is not None

    async def note_complete(self) -> None:
        """Remember that every job is counted."""
        container = await self._account.container(CONTAINER)
        mark = {"id": _MARK, "month": _MARK, "kind": "mark"}
        try:
            await container.upsert_item(mark, retry_write=WRITE_TRIES, response_hook=charge_of(CONTAINER, "mark"))
        except AzureError as error:
            raise translated(error, "the figures could not be written") from error

    async def count_by_state(self) -> Mapping[JobState, int]:
        """Return how many jobs that are not archived are in each state; states without jobs are there with 0."""
        counts = Counter[str]()
        for bucket in await self.submitted("day"):
            counts[bucket.state] += bucket.jobs
        return {state: counts[state] for state in STATES}

    async def submitted(self, span: Span, *, since: datetime | None = None, archived: bool = False) -> Sequence[Bucket]:
        """See `JobStats.submitted`."""
        first = "" if since is None else stamp(since)[: WIDTHS[span]]
        found = await self._query(
            f"submitted_by_{span}",
            "SELECT c.counts FROM c WHERE c.kind = @kind AND c.id >= @first",
            {"@kind": span, "@first": first[: _ITEMS[span]]},
        )
        told = Counter[tuple[str, str]]()
        for item in found:
            for bucket, by_state in item["counts"].items():
                for state, jobs in by_state.items():
                    if bucket >= first and (archived or not state.endswith(_ARCHIVED)):
                        told[bucket, state.removesuffix(_ARCHIVED)] += jobs
        states = {str(state): state for state in STATES}
        return [
            Bucket(begun_at=begun_at(bucket, span), state=states[state], jobs=jobs)
            for (bucket, state), jobs in sorted(told.items())
        ]

    async def attention(self, kind: Attention) -> tuple[int, Sequence[str]]:
        """See `JobStats.attention`."""
        since = f"{kind}_since"
        found = await self._query(
            kind,
            f"SELECT TOP {LIST_MAX + 1} c.id FROM c WHERE IS_DEFINED(c.{since}) ORDER BY c.{since}",  # noqa: S608
        )
        count = len(found)
        if count > LIST_MAX:
            text = f"SELECT VALUE COUNT(1) FROM c WHERE IS_DEFINED(c.{since})"  # noqa: S608 - one of two names
            count = sum(await self._query(f"{kind}_count", text))
        return count, [item["id"] for item in found[:LIST_MAX]]

    async def attempts(self, *, limit: int) -> Sequence[AttemptStats]:
        """See `JobStats.attempts`; the answer may be some seconds old."""
        now = time.monotonic()
        if self._attempts is not None and self._attempts[1] >= limit and now - self._attempts[0] < self._attempts_age_s:
            return self._attempts[2][:limit]
        found = await self._query(
            "attempts",
            # Who has one of the latest attempts has a latest attempt among them: so many jobs are enough.
            f"SELECT TOP {int(limit)} c.attempts FROM c WHERE IS_DEFINED(c.ended_at) ORDER BY c.ended_at DESC",  # noqa: S608
            {},
        )
        ended = sorted((one for item in found for one in item["attempts"]), key=lambda one: str(one[0]), reverse=True)
        told = [
            AttemptStats(outcome=outcome, ended_at=datetime.fromisoformat(ended_at), seconds=seconds)
            for ended_at, outcome, seconds in ended[:limit]
        ]
        self._attempts = (now, limit, told)
        return told

    async def positions(self, job_ids: Sequence[str]) -> Mapping[str, int]:
        """See `JobStats.positions`."""
        names = {f"@id{number}": job_id for number, job_id in enumerate(dict.fromkeys(job_ids))}
        if not names:
            return {}
        found = await self._query(
            "positions",
            f"SELECT c.id, c.position FROM c WHERE c.kind = 'job' AND c.id IN ({', '.join(names)})",  # noqa: S608
            names,
        )
        return {item["id"]: int(item["position"]) for item in found}

    async def projected(self) -> int:
        """See `JobStats.projected`."""
        return sum(await self._query("projected", "SELECT VALUE c.events FROM c WHERE c.kind = 'day'"))

    async def close(self) -> None:
        """See `JobStats.close`."""
        await self._account.leave()

    async def _move(self, month: str, jobs: Mapping[str, Job | None]) -> None:
        """Move some jobs of one month, all or none; None: the job is counted no more."""
        for tried in range(_TRIES):
            before = await self._items(month, jobs)
            after = _moved(month, jobs, before)
            if not after:
                return
            changes = [(before.get(job_id), item) for job_id, item in after.items()]
            counts = await self._items(month, _counting(changes))
            changes += [(counts.get(item["id"]), item) for item in _counted(month, changes, counts)]
            try:
                done = await write_batch(
                    self._account, CONTAINER, [_operation(*change) for change in changes], month, operation="move"
                )
            except CosmosBatchOperationError as error:
                if error.status_code not in _CONFLICTS:
                    raise translated(error, "the figures could not be written") from error
                self._forget(month, [*jobs, *(_counting(changes))])
                await asyncio.sleep(random.uniform(0, 0.02 * (tried + 1)))  # noqa: S311 - so that writers part
                continue
            except AzureError as error:
                raise translated(error, "the figures could not be written") from error
            for (_, item), outcome in zip(changes, done, strict=True):
                if item is not None:
                    self._keep({**item, "_etag": outcome["eTag"]})
            self._forget(month, [job_id for job_id, item in after.items() if item is None])
            return
        raise TryAgain(f"the figures of {month} moved {_TRIES} times while they were written")

    async def _items(self, month: str, ids: Iterable[str]) -> dict[str, _Item]:
        """Return the items that there are, by id."""
        wanted = list(dict.fromkeys(ids))
        found = await asyncio.gather(*(self._item(month, one) for one in wanted))
        return {one: item for one, item in zip(wanted, found, strict=True) if item is not None}

    async def _item(self, month: str, one: str) -> _Item | None:
        kept = self._kept.get((month, one))
        if kept is not None:
            return kept
        container = await self._account.container(CONTAINER)
        try:
            item: _Item = await container.read_item(one, month, response_hook=charge_of(CONTAINER, "get"))
        except CosmosResourceNotFoundError as error:
            if error.sub_status:  # the container itself is missing, not the item
                raise translated(error, "the figures could not be read") from error
            return None
        except AzureError as error:
            raise translated(error, "the figures could not be read") from error
        self._keep(item)
        return item

    async def _delete_mark(self) -> None:
        self._forget(_MARK, [_MARK])
        container = await self._account.container(CONTAINER)
        try:
            await container.delete_item(_MARK, _MARK, response_hook=charge_of(CONTAINER, "mark"))
        except CosmosResourceNotFoundError:
            return
        except AzureError as error:
            raise translated(error, "the figures could not be cleared") from error

    def _keep(self, item: _Item) -> None:
        key = (item["month"], item["id"])
        self._kept.pop(key, None)
        self._kept[key] = item
        if len(self._kept) > _KEPT_MAX:
            del self._kept[next(iter(self._kept))]

    def _forget(self, month: str, ids: Iterable[str]) -> None:
        for one in ids:
            self._kept.pop((month, one), None)


def _by_month(jobs: Iterable[tuple[str, str, Job | None]]) -> Iterable[tuple[str, Mapping[str, Job | None]]]:
    """Return (month, jobs by id), as many at once as a batch holds."""
    months: dict[str, dict[str, Job | None]] = {}
    for month, job_id, job in jobs:
        months.setdefault(month, {})[job_id] = job
    for month, some in months.items():
        ids = list(some)
        for begin in range(0, len(ids), _JOBS_AT_ONCE):
            yield month, {job_id: some[job_id] for job_id in ids[begin : begin + _JOBS_AT_ONCE]}


def _moved(month: str, jobs: Mapping[str, Job | None], before: Mapping[str, _Item]) -> dict[str, _Item | None]:
    """Return the new items of those that move; None: there is to be none."""
    moved: dict[str, _Item | None] = {}
    for job_id, job in jobs.items():
        known = before.get(job_id)
        if job is None:
            if known is not None:
                moved[job_id] = None
        elif known is None or int(known["position"]) < job.position:
            moved[job_id] = _of_job(month, job)
    return moved


def _of_job(month: str, job: Job) -> _Item:
    item: _Item = {
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


def _counting(changes: Sequence[tuple[_Item | None, _Item | None]]) -> set[str]:
    """Return the ids of the items that count these jobs."""
    stamps = {item["at"] for change in changes for item in change if item is not None and item["kind"] == "job"}
    return {at[:width] for at in stamps for width in _ITEMS.values()}


def _counted(
    month: str, changes: Sequence[tuple[_Item | None, _Item | None]], counts: Mapping[str, _Item]
) -> Sequence[_Item]:
    """Return the counting items that change, as they are after the changes of these jobs."""
    deltas: dict[tuple[Span, str], Counter[tuple[str, str]]] = {}
    events = 0
    for before, after in changes:
        for item, sign in ((before, -1), (after, 1)):
            if item is not None:
                events += sign * int(item["position"])
                for span, width in _ITEMS.items():
                    bucket = item["at"][: WIDTHS[span]]
                    deltas.setdefault((span, item["at"][:width]), Counter())[bucket, item["counted_as"]] += sign
    changed: list[_Item] = []
    for (span, one), delta in deltas.items():
        known = counts.get(one, {})
        if not any(delta.values()) and not (span == "day" and events):
            continue
        by_bucket: dict[str, dict[str, int]] = {
            bucket: dict(by_state) for bucket, by_state in known.get("counts", {}).items()
        }
        for (bucket, state), jobs in delta.items():
            by_state = by_bucket.setdefault(bucket, {})
            by_state[state] = by_state.get(state, 0) + jobs
        item = {"id": one, "month": month, "kind": span, "counts": _without_zeros(by_bucket)}
        if span == "day":
            item["events"] = int(known.get("events", 0)) + events
        changed.append(item)
    return changed


def _without_zeros(counts: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    kept = {bucket: {state: jobs for state, jobs in by_state.items() if jobs} for bucket, by_state in counts.items()}
    return {bucket: by_state for bucket, by_state in kept.items() if by_state}


def _operation(before: _Item | None, after: _Item | None) -> tuple[Any, ...]:
    """Return the operation of a batch that makes one of the other, if it is still as it was."""
    if before is None:
        return ("create", (after,))
    unchanged = {"if_match_etag": before["_etag"]}
    return ("delete", (before["id"],), unchanged) if after is None else ("replace", (before["id"], after), unchanged)
