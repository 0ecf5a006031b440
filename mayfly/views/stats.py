"""The port to the figures: what is asked about many jobs at once, kept beside the views so that nobody has to count.

Like the views they hold nothing of their own: saving a view moves them, and the change feed from the beginning makes
them again (I1). Nothing here costs more where there are more jobs.
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
"""`held`: waits with a reason. `lingering`: an attempt is over and its container is not seen gone (I5)."""

LIST_MAX = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """The jobs that were submitted in one span of time and are in one state now."""

    begun_at: datetime
    state: JobState
    jobs: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptStats:
    """One attempt of a job that is settled."""

    outcome: AttemptOutcome
    ended_at: datetime
    seconds: Mapping[PhaseName, float]
    """Phase and its length; a phase that it did not have is missing."""


class JobStats(Protocol):
    """Ask about many jobs.

    Errors: every method may raise `TryAgain` when the store does not answer.
    """

    async def submitted(self, span: Span, *, since: datetime | None = None, archived: bool = False) -> Sequence[Bucket]:
        """Return how many jobs were submitted in each span and are in each state now, oldest first.

        Shapes: spans and states without jobs are missing; `since` includes the span that it falls into; `archived`
        True counts the archived ones too.
        """
        ...

    async def attention(self, kind: Attention) -> tuple[int, Sequence[str]]:
        """Return how many jobs there are of a kind, and at most `LIST_MAX` of their ids, those longest so first."""
        ...

    async def attempts(self, *, limit: int) -> Sequence[AttemptStats]:
        """Return the attempts of settled jobs that ended last, newest first."""
        ...

    async def positions(self, job_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the position up to which each job is projected; a job without a view is missing."""
        ...

    async def projected(self) -> int:
        """Return how many events the views hold, all jobs together."""
        ...

    async def close(self) -> None:
        """Release what is open."""
        ...
