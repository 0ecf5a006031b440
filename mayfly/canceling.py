"""Stop one job, or clear the board: cancel what runs and archive what ended. Nothing is erased."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from mayfly.composition import Mayfly
from mayfly.errors import TryAgain
from mayfly.jobs.commands import ArchiveJob, RequestCancel
from mayfly.jobs.events import Source
from mayfly.jobs.job import Job
from mayfly.jobs.names import CANCEL_EVENT
from mayfly.orchestrators import Orchestrators
from mayfly.views.job_views import JobFilter

CLEAR_STEP_S = 3.0
"""How long one step of a clear goes on, so that whoever asked is answered and sees how far it is."""

_CLEAR_BATCH = 50

_logger = logging.getLogger("mayfly.canceling")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleared:
    """How many jobs one step of a clear touched."""

    canceled: int
    archived: int
    cursor: str | None = None
    """Give it back for the next step; None: that was the last."""


async def cancel(
    mayfly: Mayfly, orchestrators: Orchestrators, job_id: str, *, source: Source, reason: str | None
) -> Job:
    """End the job as canceled, and have its container deleted; a job that is over stays as it is (I3).

    Errors: `NotFound`, `TryAgain`.
    """
    job = await mayfly.streams.load(job_id)
    outcome = await mayfly.streams.carry_out(RequestCancel(source=source, reason=reason), job)
    lingers = outcome.after.state == "canceled" and not outcome.after.settled
    if outcome.events or lingers:  # a cancel that is repeated wakes again: the first may have died before it could
        try:
            await orchestrators.wake(job_id, CANCEL_EVENT)
        except TryAgain as error:
            _logger.warning("waking %s: %s; its next look will find the cancel", job_id, error)
    return outcome.after


async def archive(mayfly: Mayfly, job_id: str, *, source: Source) -> Job:
    """Hide a job that is over from the lists; one that is not stays as it is.

    Errors: `NotFound`, `TryAgain`.
    """
    return (await mayfly.streams.carry_out(ArchiveJob(source=source), await mayfly.streams.load(job_id))).after


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
