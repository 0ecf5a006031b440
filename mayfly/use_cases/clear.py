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
"""How long one step of a clear runs, so that the caller gets an answer and can show progress."""

_CLEAR_BATCH = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleared:
    """How many jobs one step of a clear touched."""

    canceled: int
    archived: int
    cursor: str | None = None
    """Give it back for the next step; None: that was the last."""


async def clear(mayfly: Mayfly, orchestrators: Orchestrators, *, source: Source, cursor: str | None = None) -> Cleared:
    """Go through the jobs, newest first, for some seconds: cancel those that are not over, and archive them all.

    Where that was not enough, the next call goes on from the cursor of the one before. It goes by the views, so that a
    job may be missed that was submitted a moment before the first call; the same again finds it.

    Errors: `TryAgain`; what was done until then stays done, and the same again finishes it. ValueError for a cursor
    that no call gave out.
    """
    until = mayfly.clock.now() + timedelta(seconds=CLEAR_STEP_S)
    canceled = archived = 0
    while True:
        page = await mayfly.views.page(JobFilter(), limit=_CLEAR_BATCH, cursor=cursor)
        for seen in page.jobs:
            job = seen if seen.over else await cancel(mayfly, orchestrators, seen.job_id, source=source, reason="clear")
            canceled += job.state == "canceled" and not seen.over
            outcome = await mayfly.streams.carry_out(ArchiveJob(source=source), job)
            archived += bool(outcome.events)
        cursor = page.cursor
        if cursor is None or mayfly.clock.now() >= until:
            return Cleared(canceled=canceled, archived=archived, cursor=cursor)
