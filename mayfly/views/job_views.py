"""The port to the job views: one folded job each, kept so that lists need not read streams.

A view holds nothing of its own. It equals the fold of its stream up to its position (I10), may lag behind the log,
and can be thrown away: the change feed from the beginning makes it again (I1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import JobState

PAGE_MAX = 200


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Which jobs to list; every condition that is given must hold."""

    states: frozenset[JobState] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    name_contains: str | None = None
    """Part of the job's id or of its name."""
    submitted_after: datetime | None = None
    submitted_before: datetime | None = None
    archived: bool = False
    """True: the archived ones too."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Part of a list."""

    jobs: Sequence[Job]
    cursor: str | None
    """Give it back for the next page; None at the end."""


class JobViews(Protocol):
    """Save and find folded jobs.

    Errors: every method may raise `TryAgain` when the store does not answer; what was to be saved may not be.
    """

    async def get_many(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """Return the views that there are, by job id."""
        ...

    async def save(self, jobs: Sequence[Job]) -> None:
        """Keep each job unless a later position of it is kept already."""
        ...

    async def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
        """Return jobs, newest submission first; equal times in descending order of id.

        Shapes: at most `limit` jobs, itself at most `PAGE_MAX`.
        Errors: ValueError for a cursor that no page gave out.
        """
        ...

    async def count_by_state(self) -> Mapping[JobState, int]:
        """Return how many jobs that are not archived are in each state; states without jobs are there with 0."""
        ...

    async def unsettled(self, *, after: str = "", limit: int = 1_000) -> Sequence[str]:
        """Return ids of jobs that are not over, or whose container is not seen gone; ascending, after an id."""
        ...

    async def clear(self) -> None:
        """Forget every view, so that they can be made again; from now on they are incomplete."""
        ...

    async def complete(self) -> bool:
        """Say whether every event of the log has once been folded into these views.

        False for a new store, one that was cleared, and one of another version: the feed only brings what is new.
        """
        ...

    async def note_complete(self) -> None:
        """Remember that they are complete; the feed keeps them so."""
        ...

    async def close(self) -> None:
        """Release what is open."""
        ...
