"""The port to the job stats: aggregates over many jobs, maintained with the views so that reads never scan.

Like the views, they add no information: saving a view updates them, and reading the change feed from the beginning
rebuilds them (I1). The cost of a call does not depend on the number of jobs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from mayfly.jobs.job import AttemptOutcome
from mayfly.jobs.lifecycle import JobState
from mayfly.jobs.phases import PhaseName

Span = Literal["minute", "hour", "day"]
Attention = Literal["held", "lingering"]
"""`held`: waits with a reason. `lingering`: an attempt is over, but its container is not confirmed gone (I5)."""

LIST_MAX = 200
"""Ids in one answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """The number of jobs that were submitted in one span of time and are now in one state."""

    begun_at: datetime
    state: JobState
    jobs: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptStats:
    """One attempt of a settled job."""

    outcome: AttemptOutcome
    ended_at: datetime
    seconds: Mapping[PhaseName, float]
    """Length of each phase; phases that did not occur are missing."""


class JobStats(Protocol):
    """Query aggregates over many jobs.

    Errors: every method may raise `TryAgain` if the store does not answer.
    """

    async def submitted(self, span: Span, *, since: datetime | None = None, archived: bool = False) -> Sequence[Bucket]:
        """Return the number of jobs by span of submission and current state, oldest span first.

        Shapes: spans and states without jobs are missing; `since` includes the span that contains it; `archived` True
        includes archived jobs.
        """

    async def attention(self, kind: Attention) -> tuple[int, Sequence[str]]:
        """Return the number of jobs of a kind and up to `LIST_MAX` of their ids, the longest-waiting first."""

    async def attempts(self, *, limit: int) -> Sequence[AttemptStats]:
        """Return the most recently ended attempts of settled jobs, newest first."""

    async def positions(self, job_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the position of each job's view; jobs without a view are missing."""

    async def projected(self) -> int:
        """Return how many events have been folded into the views, for all jobs together."""

    async def close(self) -> None:
        """Close files and connections."""
