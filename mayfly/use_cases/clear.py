"""Clear the board: cancel running jobs and archive finished ones. Nothing is erased."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mayfly.app import Mayfly
from mayfly.jobs.commands import ArchiveJob
from mayfly.jobs.events import Source
from mayfly.orchestrators import Orchestrators
from mayfly.use_cases.cancel import cancel
from mayfly.views.job_views import JobFilter

CLEAR_STEP_S = 3.0
"""How long one step runs before it returns, so that the caller can show progress."""

_CLEAR_BATCH = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleared:
    """How many jobs one step has changed."""

    canceled: int
    archived: int
    cursor: str | None = None
    """`cursor` of the next request; null: nothing is left."""


async def clear(mayfly: Mayfly, orchestrators: Orchestrators, *, source: Source, cursor: str | None = None) -> Cleared:
    """Cancel the unfinished jobs and archive all of them, newest first, for `CLEAR_STEP_S` seconds.

    The next call continues from the cursor of this one. Jobs come from the views, so a job submitted just before the
    first call may be missed; clear again to find it.

    Errors: `TryAgain`; the jobs changed so far stay changed, and calling again finishes the rest. ValueError for a
    cursor that no call returned.
    """
    until = mayfly.clock.now() + timedelta(seconds=CLEAR_STEP_S)
    canceled = archived = 0
    while True:
        page = await mayfly.views.page(JobFilter(), limit=_CLEAR_BATCH, cursor=cursor)
        for view in page.jobs:
            job = view if view.over else await cancel(mayfly, orchestrators, view.job_id, source=source, reason="clear")
            canceled += job.state == "canceled" and not view.over
            outcome = await mayfly.streams.carry_out(ArchiveJob(source=source), job)
            archived += bool(outcome.events)
        cursor = page.cursor
        if cursor is None or mayfly.clock.now() >= until:
            return Cleared(canceled=canceled, archived=archived, cursor=cursor)
