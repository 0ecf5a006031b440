"""The log and the views, with the faults of a store that is reached over a network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from mayfly.errors import PositionTaken, TryAgain
from mayfly.jobs.events import Event
from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import STATES, JobState
from mayfly.log.event_log import Recorded
from mayfly.views.cursor import cursor_after, parse_cursor
from mayfly.views.job_views import JobFilter, Page
from tests.mayfly.log.memory import MemoryEventLog
from tests.simulation.faults import Faults
from tests.simulation.invariants import Invariants

Hop = Callable[[], Awaitable[None]]
"""A message under way: where others may come first."""


class FaultyLog:
    """`MemoryEventLog`, reached over a network that loses requests and answers."""

    def __init__(self, memory: MemoryEventLog, faults: Faults, invariants: Invariants, hop: Hop) -> None:
        self.memory = memory
        self.outage_until: datetime | None = None
        self._faults = faults
        self._invariants = invariants
        self._hop = hop

    async def append(self, events: Sequence[Event], *, expected_position: int) -> None:
        """See `EventLog.append`."""
        await self._hop()
        self._reach("append_lost")
        job_id = events[0].job_id
        before = list(await self.memory.read(job_id))
        try:
            await self.memory.append(events, expected_position=expected_position)
        except PositionTaken:
            self._invariants.append_was_refused(before, await self.memory.read(job_id))
            raise
        self._invariants.appended(job_id, before, events, await self.memory.read(job_id), expected_position)
        if self._faults.strike("append_unanswered"):
            raise TryAgain("the log took it and did not answer")
        await self._hop()

    async def read(self, job_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Event]:
        """See `EventLog.read`."""
        await self._hop()
        self._reach("read_fails")
        found = list(await self.memory.read(job_id, after=after, limit=limit))
        await self._hop()
        return found

    async def read_all(self, *, after: int = 0, limit: int = 1_000) -> Sequence[Recorded]:
        """See `EventLog.read_all`."""
        await self._hop()
        self._reach("read_fails")
        return list(await self.memory.read_all(after=after, limit=limit))

    async def close(self) -> None:
        """See `EventLog.close`."""

    def _reach(self, fault: str) -> None:
        if self.outage_until is not None and self._invariants.now() < self.outage_until:
            raise TryAgain("the log is out of reach for a while")
        if self._faults.strike(fault):
            raise TryAgain("the log was not reached")


class FaultyViews:
    """`JobViews` in a dictionary."""

    def __init__(self, faults: Faults, invariants: Invariants, hop: Hop) -> None:
        self.jobs: dict[str, Job] = {}
        self.is_complete = False
        self._faults = faults
        self._invariants = invariants
        self._hop = hop

    async def get_many(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """See `JobViews.get_many`."""
        await self._reach()
        return {job_id: self.jobs[job_id] for job_id in job_ids if job_id in self.jobs}

    async def save(self, jobs: Sequence[Job]) -> None:
        """See `JobViews.save`."""
        await self._reach()
        for job in jobs:
            kept = self.jobs.get(job.job_id)
            if kept is None or kept.position < job.position:
                self.jobs[job.job_id] = job
                self._invariants.view_saved(job)

    async def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
        """See `JobViews.page`; two jobs a page, so that paging happens."""
        await self._reach()
        limit = min(limit, 2)
        jobs = [job for job in self.jobs.values() if job_filter.archived or not job.archived]
        jobs.sort(key=_order, reverse=True)
        if cursor is not None:
            jobs = [job for job in jobs if _order(job) < parse_cursor(cursor)]
        return Page(jobs=jobs[:limit], cursor=cursor_after(jobs[limit - 1]) if len(jobs) > limit else None)

    async def count_by_state(self) -> Mapping[JobState, int]:
        """See `JobViews.count_by_state`."""
        return {state: sum(job.state == state for job in self.jobs.values()) for state in STATES}

    async def unsettled(self, *, after: str = "", limit: int = 1_000) -> Sequence[str]:
        """See `JobViews.unsettled`."""
        await self._reach()
        found = sorted(job.job_id for job in self.jobs.values() if not job.settled and job.job_id > after)
        return found[: min(limit, 2)]

    async def clear(self) -> None:
        """See `JobViews.clear`."""
        await self._reach()
        self.lose()

    async def complete(self) -> bool:
        """See `JobViews.complete`."""
        await self._reach()
        return self.is_complete

    async def note_complete(self) -> None:
        """See `JobViews.note_complete`."""
        await self._reach()
        self.is_complete = True

    def lose(self) -> None:
        """Forget everything."""
        self.jobs.clear()
        self.is_complete = False

    async def close(self) -> None:
        """See `JobViews.close`."""

    async def _reach(self) -> None:
        await self._hop()
        if self._faults.strike("views_fail"):
            raise TryAgain("the views were not reached")


def _order(job: Job) -> tuple[str, str]:
    return job.submitted_at.isoformat(timespec="microseconds"), job.job_id
