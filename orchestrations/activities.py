"""The activities: thin, because what they do is a use case, and because a host may run each of them twice (I7).

Each takes the job id and returns the next `NextStep` as plain JSON. A store or a platform that does not answer is no
failure of the orchestration: the same activity is due again a little later.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from mayfly import composition
from mayfly.app import Mayfly
from mayfly.errors import NotFound, TryAgain
from mayfly.jobs.next_step import Activity, NextStep
from mayfly.telemetry.job_context import bind
from mayfly.use_cases import attempts

activities = df.Blueprint()

_TRY_AGAIN_S = 5.0

_logger = logging.getLogger("orchestrations.activities")


@activities.activity_trigger(input_name="job_id", activity="begin_attempt")
async def begin_attempt(job_id: str) -> dict[str, Any]:
    """Admit the job and ask for its container."""
    return await _perform("begin_attempt", attempts.begin_attempt, job_id)


@activities.activity_trigger(input_name="job_id", activity="observe_attempt")
async def observe_attempt(job_id: str) -> dict[str, Any]:
    """Look at the container and at the deadlines."""
    return await _perform("observe_attempt", attempts.observe_attempt, job_id)


@activities.activity_trigger(input_name="job_id", activity="end_attempt")
async def end_attempt(job_id: str) -> dict[str, Any]:
    """Keep what the container leaves, delete it, and look whether it is gone."""
    return await _perform("end_attempt", attempts.end_attempt, job_id)


async def _perform(
    name: Activity, use_case: Callable[[Mayfly, str], Awaitable[NextStep]], job_id: str
) -> dict[str, Any]:
    bind(job_id)
    mayfly = composition.current()
    try:
        return (await use_case(mayfly, job_id)).to_document()
    except TryAgain as error:
        _logger.warning("%s of %s: %s; again in %g s", name, job_id, error, _TRY_AGAIN_S)
        at = mayfly.clock.now() + timedelta(seconds=_TRY_AGAIN_S)
        return NextStep(activity=name, due_at=at).to_document()
    except NotFound:
        _logger.warning("%s of %s: there is no such job, so its orchestrator ends", name, job_id)
        return NextStep(activity="done").to_document()
