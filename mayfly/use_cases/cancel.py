"""Cancel one job. Nothing is erased."""

from __future__ import annotations

import logging

from mayfly.app import Mayfly
from mayfly.errors import TryAgain
from mayfly.jobs.commands import RequestCancel
from mayfly.jobs.events import Source
from mayfly.jobs.job import Job
from mayfly.jobs.names import CANCEL_EVENT
from mayfly.orchestrators import Orchestrators

_logger = logging.getLogger("mayfly.use_cases.cancel")


async def cancel(
    mayfly: Mayfly, orchestrators: Orchestrators, job_id: str, *, source: Source, reason: str | None
) -> Job:
    """Cancel the job and wake its orchestrator, which deletes the container. A finished job is left unchanged (I3).

    Errors: `NotFound`, `TryAgain`.
    """
    job = await mayfly.streams.load(job_id)
    outcome = await mayfly.streams.carry_out(RequestCancel(source=source, reason=reason), job)
    lingers = outcome.after.state == "canceled" and not outcome.after.settled
    if outcome.events or lingers:  # a repeated cancel wakes again: the first may have died before it did
        try:
            await orchestrators.wake(job_id, CANCEL_EVENT)
        except TryAgain as error:
            _logger.warning("waking %s: %s; its next poll will find the cancellation", job_id, error)
    return outcome.after
