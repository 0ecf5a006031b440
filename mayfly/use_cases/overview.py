"""The read service for all jobs at once: counts, durations, and how far the views are behind the log.

`Reader` answers about one job or one page of jobs. The cost of a question here does not depend on the number of jobs.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mayfly.app import ReadStores
from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import JobState
from mayfly.jobs.phases import PHASES, PhaseName
from mayfly.views.stats import AttemptStats, Attention, Bucket, Span

ATTEMPTS_MAX = 1_000
"""How many of the latest attempts the phase durations are computed from."""
_TAIL_MAX = 100
"""How many of the latest events are compared with the views, to find whether and since when they are behind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """The log's size, now and over time."""

    events: int
    log_bytes: int | None
    exact: bool
    """See `LogSize`."""
    points: Sequence[tuple[datetime, int]]
    """(time, events written up to that time), oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lag:
    """How far the views are behind the log."""

    events: int
    more: bool
    """True: at least this many, because all of the latest events are missing from the views."""
    since: datetime | None
    """When the oldest known event that is not projected was written; None: no such event is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseLength:
    """The duration of one phase, over the latest attempts that had it."""

    name: PhaseName
    attempts: int
    p50_s: float
    p95_s: float


class Overview:
    """Answer questions about all jobs at once. Errors: every method may raise `TryAgain` if a store does not answer."""

    def __init__(self, stores: ReadStores) -> None:
        self._stores = stores
        self._stats = stores.stats

    async def projected(self) -> int:
        """Return how many events are projected; while it is the same, nothing drawn from the views changes."""
        return await self._stats.projected()

    async def written(self) -> int:
        """Return how many events the log holds."""
        return (await self._stores.log_stats.size()).events

    async def counts(self) -> Mapping[JobState, int]:
        """Return how many jobs that are not archived are in each state."""
        return await self._stores.views.count_by_state()

    async def submitted(self, span: Span, *, since: datetime | None = None, archived: bool = False) -> Sequence[Bucket]:
        """Return the jobs by time of submission and state; see `JobStats.submitted`."""
        return await self._stats.submitted(span, since=since, archived=archived)

    async def attention(self, kind: Attention) -> tuple[int, Sequence[Job]]:
        """Return how many jobs are held or lingering, and those that have been for the longest time."""
        count, job_ids = await self._stats.attention(kind)
        found = await self._stores.views.get_many(job_ids)
        return count, [found[job_id] for job_id in job_ids if job_id in found]

    async def attention_count(self, kind: Attention) -> int:
        """Return how many jobs are held or lingering."""
        count, _ = await self._stats.attention(kind)
        return count

    async def growth(self, *, now: datetime, over: timedelta, points: int) -> Growth:
        """Return the log's size, and its growth up to now at evenly spaced times."""
        log_stats = self._stores.log_stats
        size = await log_stats.size()
        times = [now - over + over * number / (points - 1) for number in range(points)]
        return Growth(
            events=size.events,
            log_bytes=size.log_bytes,
            exact=size.exact,
            points=list(zip(times, await log_stats.written_by(times), strict=True)),
        )

    async def lag(self) -> Lag:
        """Return how far the views are behind the log."""
        log_stats = self._stores.log_stats
        size = await log_stats.size()  # first, so that events written in between do not count
        last = await log_stats.last(_TAIL_MAX)
        positions = await self._stats.positions([event.job_id for event in last])
        behind = [event.at for event in last if event.position > positions.get(event.job_id, 0)]
        since = min(behind, default=None)
        if size.exact:
            missing = size.events - await self._stats.projected()
            return Lag(events=max(len(behind), missing), more=False, since=since)
        return Lag(events=len(behind), more=len(behind) == _TAIL_MAX, since=since)

    async def phase_lengths(self) -> Sequence[PhaseLength]:
        """Return the duration of each phase, over the latest `ATTEMPTS_MAX` attempts of settled jobs."""
        return phase_lengths(await self._stats.attempts(limit=ATTEMPTS_MAX))


def phase_lengths(attempts: Sequence[AttemptStats]) -> Sequence[PhaseLength]:
    """Return the median and the 95th percentile of each phase that any attempt had, in order of the phases."""
    lengths = {name: [a.seconds[name] for a in attempts if name in a.seconds] for name in PHASES}
    return [
        PhaseLength(name=name, attempts=len(found), p50_s=statistics.median(found), p95_s=_p95(found))
        for name, found in lengths.items()
        if found
    ]


def _p95(values: Sequence[float]) -> float:
    """Return the 95th percentile: the smallest value that at least 95 % of the values do not exceed.

    >>> _p95([1.0]), _p95([float(n) for n in range(1, 101)])
    (1.0, 95.0)
    """
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]
