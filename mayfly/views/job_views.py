"""The port to the job views: folded jobs, stored so that lists need not read streams.

A view adds no information. It equals the fold of its stream up to its position (I10) and may lag behind the log. It can
be discarded: reading the change feed from the beginning rebuilds it (I1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import JobState

PAGE_MAX = 200
"""Jobs on a page."""


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Conditions for a list of jobs; all of them must hold.

    Shapes: None: no such condition.
    """

    states: frozenset[JobState] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    """Name to value."""
    name_contains: str | None = None
    """Part of the job's id or name."""
    submitted_after: datetime | None = None
    submitted_before: datetime | None = None
    archived: bool = False
    """True: include archived jobs."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a list."""

    jobs: Sequence[Job]
    cursor: str | None
    """Pass it to get the next page; None: this is the last page."""


class JobViews(Protocol):
    """Save and find folded jobs.

    Errors: every method may raise `TryAgain` if the store does not answer; a save may then be incomplete.
    """

    async def get_many(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """Return the existing views of these jobs, by job id."""

    async def save(self, jobs: Sequence[Job]) -> None:
        """Store each job unless a later position of it is already stored."""

    async def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
        """Return jobs, newest submission first; jobs of the same time are in descending order of id.

        Shapes: at most `limit` jobs, and at most `PAGE_MAX`.
        Errors: ValueError for a cursor that no page returned.
        """

    async def count_by_state(self) -> Mapping[JobState, int]:
        """Return the number of unarchived jobs in each state, including states with none."""

    async def unsettled(self, *, after: str = "", limit: int = 1_000) -> Sequence[str]:
        """Return ids of jobs that are not over or whose container is not confirmed gone; ascending, after an id."""

    async def clear(self) -> None:
        """Delete every view, for a rebuild. The views are incomplete until `note_complete`."""

    async def complete(self) -> bool:
        """Say whether every event of the log has been folded into these views.

        False for a new store, a cleared one, and one of another version, since the feed only delivers new events.
        """

    async def note_complete(self) -> None:
        """Record that the views are complete; from now on the feed keeps them complete."""

    async def close(self) -> None:
        """Close files and connections."""
