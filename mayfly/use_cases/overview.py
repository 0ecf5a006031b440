"""The read service's wide view: figures over many jobs, and how well the system keeps up.

It belongs to `Reader` as the list belongs to the page: what is asked here costs the same for a hundred jobs as for a
hundred thousand.
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
from mayfly.views.stats import AttemptStats, Attention, Bucket, JobStats, Span

ATTEMPTS_MAX = 1_000
"""How many of the last attempts the lengths of the phases are told from."""
_TAIL_MAX = 100
"""How many of the last events are held against the views, to find whether and since when these are behind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """The log's size, now and on the way here."""

    events: int
    log_bytes: int | None
    exact: bool
    """See `LogSize`."""
    points: Sequence[tuple[datetime, int]]
    """(time, events written by then), oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lag:
    """How far the views are behind the log."""

    events: int
    more: bool
    """True: at least so many, because all of the log's last events are among them."""
    since: datetime | None
    """When the oldest of the last events that are not projected was written; None where none is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseLength:
    """How long one phase took, over the last attempts that had it."""

    name: PhaseName
    attempts: int
    p50_s: float
    p95_s: float


class Overview:
    """Answer about all jobs at once.

    Errors: every method may raise `TryAgain` when a store does not answer.
    """

    def __init__(self, stores: ReadStores, figures: JobStats) -> None:
        self._stores = stores
        self._figures = figures

    async def projected(self) -> int:
        """Return how many events the views hold; while it stays, so does everything that is drawn from them."""
        return await self._figures.projected()

    async def written(self) -> int:
        """Return how many events the log holds."""
        return (await self._stores.gauge.size()).events

    async def counts(self) -> Mapping[JobState, int]:
        """Return how many jobs that are not archived are in each state."""
        return await self._stores.views.count_by_state()

    async def submitted(self, span: Span, *, since: datetime | None = None, archived: bool = False) -> Sequence[Bucket]:
        """Return the jobs by time of submission and state; see `JobStats.submitted`."""
        return await self._figures.submitted(span, since=since, archived=archived)

    async def attention(self, kind: Attention) -> tuple[int, Sequence[Job]]:
        """Return how many jobs are held or linger, and the longest-standing of them."""
        count, job_ids = await self._figures.attention(kind)
        found = await self._stores.views.get_many(job_ids)
        return count, [found[job_id] for job_id in job_ids if job_id in found]

    async def attention_count(self, kind: Attention) -> int:
        """Return how many jobs are held or linger."""
        count, _ = await self._figures.attention(kind)
        return count

    async def growth(self, *, now: datetime, over: timedelta, points: int) -> Growth:
        """Return the log's size and its growth over a time."""
        gauge = self._stores.gauge
        size = await gauge.size()
        times = [now - over + over * number / (points - 1) for number in range(points)]
        return Growth(
            events=size.events,
            log_bytes=size.log_bytes,
            exact=size.exact,
            points=list(zip(times, await gauge.written_by(times), strict=True)),
        )

    async def lag(self) -> Lag:
        """Return how far the views are behind."""
        gauge = self._stores.gauge
        size = await gauge.size()  # first, so that what comes in between is no lag
        last = await gauge.last(_TAIL_MAX)
        positions = await self._figures.positions([event.job_id for event in last])
        behind = [event.at for event in last if event.position > positions.get(event.job_id, 0)]
        since = min(behind, default=None)
        if size.exact:
            missing = size.events - await self._figures.projected()
            return Lag(events=max(len(behind), missing), more=False, since=since)
        return Lag(events=len(behind), more=len(behind) == _TAIL_MAX, since=since)

    async def phase_lengths(self) -> Sequence[PhaseLength]:
        """Return how long each phase took, over the last `ATTEMPTS_MAX` attempts of settled jobs."""
        return phase_lengths(await self._figures.attempts(limit=ATTEMPTS_MAX))


def phase_lengths(attempts: Sequence[AttemptStats]) -> Sequence[PhaseLength]:
    """Return the middle and the slow end of each phase that any attempt had, in the phases' order."""
    lengths = {name: [a.seconds[name] for a in attempts if name in a.seconds] for name in PHASES}
    return [
        PhaseLength(name=name, attempts=len(found), p50_s=statistics.median(found), p95_s=_p95(found))
        for name, found in lengths.items()
        if found
    ]


def _p95(values: Sequence[float]) -> float:
    """Return the least value that at least 95 of 100 do not pass.

    >>> _p95([1.0]), _p95([float(n) for n in range(1, 101)])
    (1.0, 95.0)
    """
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]
