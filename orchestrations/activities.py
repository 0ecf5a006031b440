"""The activities: each calls one use case, and is safe to run twice (I7).

Each takes the job id and returns the next step as JSON. An unavailable store or platform does not fail the
orchestration: the same activity is due again a little later.
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

_RETRY_AFTER_S = 5.0

_logger = logging.getLogger("orchestrations.activities")


@activities.activity_trigger(input_name="job_id", activity="begin_attempt")
async def begin_attempt(job_id: str) -> dict[str, Any]:
    """Admit the job and create its container."""
    return await _perform("begin_attempt", attempts.begin_attempt, job_id)


@activities.activity_trigger(input_name="job_id", activity="observe_attempt")
async def observe_attempt(job_id: str) -> dict[str, Any]:
    """Poll the container and check the deadlines."""
    return await _perform("observe_attempt", attempts.observe_attempt, job_id)


@activities.activity_trigger(input_name="job_id", activity="end_attempt")
async def end_attempt(job_id: str) -> dict[str, Any]:
    """Keep the traces of the container, delete it, and confirm that it is gone."""
    return await _perform("end_attempt", attempts.end_attempt, job_id)


async def _perform(
    name: Activity, use_case: Callable[[Mayfly, str], Awaitable[NextStep]], job_id: str
) -> dict[str, Any]:
    bind(job_id)
    mayfly = composition.current()
    try:
        return (await use_case(mayfly, job_id)).to_document()
    except TryAgain as error:
        _logger.warning("%s of %s: %s; retrying in %g s", name, job_id, error, _RETRY_AFTER_S)
        at = mayfly.clock.now() + timedelta(seconds=_RETRY_AFTER_S)
        return NextStep(activity=name, due_at=at).to_document()
    except NotFound:
        _logger.warning("%s of %s: the job does not exist, so its orchestrator ends", name, job_id)
        return NextStep(activity="done").to_document()
