"""The three moments of an attempt: begin it, observe it, end it. Each writes its events and returns the next step.

Each starts from the log and may run twice, late, or after the task hub was lost (I1, I7). In any other state, it only
returns the step that the state needs. Each takes seconds, and may raise `NotFound` and `TryAgain`.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from mayfly.admission.admission import Held
from mayfly.app import Mayfly
from mayfly.containers.runtime import GroupRefused, GroupRequest, GroupStatus, LogTail, MetricSample
from mayfly.errors import RuntimeUnavailable, SecretMissing, TryAgain
from mayfly.jobs import commands as c
from mayfly.jobs.job import Attempt, Job
from mayfly.jobs.next_step import HEARTBEATS_PER_TIMEOUT, NextStep, alive_until, begin_later, next_step
from mayfly.jobs.refusal import Refusal
from mayfly.secrets.masking import without_secrets

LOG_BYTES_MAX = 65_536
"""How much of a container's output the log keeps; the platform itself keeps 16 KB once a container has stopped."""
_TOKEN_GRACE_S = 3_600.0
"""How long a token outlives the attempt's deadlines, so that a late worker gets 410 and not 401."""
_RETRY_AFTER_S = 5.0
"""How long to wait for a platform that did not answer, if the job itself has no other time to wait for."""

_logger = logging.getLogger("mayfly.use_cases.attempts")


async def begin_attempt(mayfly: Mayfly, job_id: str) -> NextStep:
    """Admit the job, write `ContainerRequested`, and create the container; or hold the job, with the reason."""
    job = await mayfly.streams.load(job_id)
    if _may_begin(next_step(job, mayfly.clock.now(), mayfly.polls)):
        try:
            admission = await mayfly.admission.admit(job, now=mayfly.clock.now())
        except RuntimeUnavailable as error:  # an empty ledger starts from the groups that exist
            _logger.warning("admitting %s: %s", job_id, error)
            return begin_later(mayfly.clock.now() + timedelta(seconds=_RETRY_AFTER_S))
        if isinstance(admission, Held):
            job = await _carry_out(mayfly, c.HoldJob(reason=admission.reason, until=admission.until), job)
            step = next_step(job, mayfly.clock.now(), mayfly.polls)
            # A hold that changes nothing is not in the log, so the admission decides when to ask again.
            return begin_later(admission.until) if _may_begin(step) else step
        outcome = await mayfly.streams.carry_out(c.RequestContainer(place=admission.place), job)
        job = outcome.after
        if outcome.events and job.attempt is not None:
            created = await _create(mayfly, job, job.attempt)
            return await _next(mayfly, created or job, unsure=created is None)
    elif job.state == "queued":
        # Called too early. The job keeps its queue entry: it has no reservation that could be released.
        return next_step(job, mayfly.clock.now(), mayfly.polls)
    if job.attempt is not None and job.attempt.container == "requested":
        # It may have been created before. A platform may treat a second create as a change, so poll first.
        job, unsure = await _poll(mayfly, job)
        return await _next(mayfly, job, unsure=unsure)
    return await _next(mayfly, job)


async def observe_attempt(mayfly: Mayfly, job_id: str, *, troubled: bool = False) -> NextStep:
    """Check the attempt's deadlines, and poll its container if its worker is silent.

    Shapes: `troubled` polls the container in any case, because it is reported to be in trouble.
    """
    job, unsure = await _poll(mayfly, await mayfly.streams.load(job_id), troubled=troubled)
    return await _next(mayfly, job, unsure=unsure)


async def end_attempt(mayfly: Mayfly, job_id: str) -> NextStep:
    """Keep the traces of each lingering container of the job, delete it, and confirm that it is gone."""
    job = await mayfly.streams.load(job_id)
    retry_at: datetime | None = None
    for attempt in job.lingering:
        try:
            job = await _clean_up(mayfly, job, attempt)
        except RuntimeUnavailable as error:
            _logger.warning("deleting %s: %s", attempt.group, error)
            retry_at = mayfly.clock.now() + timedelta(seconds=_RETRY_AFTER_S)
            job = await mayfly.streams.load(job_id)  # with the events written before the platform failed to answer
        except _DeletesUsedUp as wait:
            retry_at = wait.until
    if job.lingering:
        job, _ = await _poll(mayfly, job)  # an earlier container must not delay the deadlines of a later attempt
    step = await _next(mayfly, job)
    if retry_at is not None and step.activity == "end_attempt" and step.due_at is None:
        return NextStep(activity="end_attempt", due_at=retry_at)
    return step


class _DeletesUsedUp(Exception):
    """The platform accepts no more deletes until then."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(until)


def _may_begin(step: NextStep) -> bool:
    return step.activity == "begin_attempt" and step.due_at is None


async def _next(mayfly: Mayfly, job: Job, *, unsure: bool = False) -> NextStep:
    """Release the job's reservation once it has no container, and return the next step."""
    if all(attempt.container == "gone" for attempt in job.attempts):
        await mayfly.admission.release(job.job_id)
    return next_step(job, mayfly.clock.now(), mayfly.polls, unsure=unsure)


async def _poll(mayfly: Mayfly, job: Job, *, troubled: bool = False) -> tuple[Job, bool]:
    """Check the open attempt, if there is one. True: the platform did not answer."""
    attempt = job.attempt
    if attempt is None or attempt.outcome is not None:
        return job, False
    presumed, unsure = alive_until(job, mayfly.polls), False
    if troubled or presumed is None or presumed <= mayfly.clock.now():
        job, unsure = await _inspect(mayfly, job, attempt)
    return await _carry_out(mayfly, c.ExpireDeadline(), job), unsure


async def _inspect(mayfly: Mayfly, job: Job, attempt: Attempt) -> tuple[Job, bool]:
    try:
        status = await mayfly.runtime.inspect(attempt.group, place=attempt.place)
    except RuntimeUnavailable as error:
        # An unanswered request says nothing about the container; only a deadline may end the attempt now.
        _logger.warning("polling %s: %s", attempt.group, error)
        return job, True
    if status is None and attempt.container == "requested":
        # It was never observed: the create was lost with the process that should have sent it.
        created = await _create(mayfly, job, attempt)
        return created or job, created is None
    if status is not None and status.refusal is not None and attempt.container == "requested":
        return await _refuse(mayfly, job, attempt, status.refusal), False
    if status is not None and mayfly.runtime.capabilities.live_metrics:
        with contextlib.suppress(RuntimeUnavailable):  # every poll takes a sample; a missed one is harmless
            await mayfly.runtime.metrics(attempt.group, place=attempt.place)
    return await _carry_out(mayfly, _observation(attempt, status), job), False


async def _create(mayfly: Mayfly, job: Job, attempt: Attempt) -> Job | None:
    """Create the group; repeating it is harmless. None: it is unknown whether the platform accepted the request."""
    try:
        secrets = await mayfly.secrets.resolve(job.spec.secrets)
        await mayfly.runtime.create(_request(mayfly, job, attempt, secrets))
    except SecretMissing as error:
        refusal = Refusal(kind="permanent", code="SecretMissing", message=str(error), hint=error.hint)
        return await _refuse(mayfly, job, attempt, refusal)
    except GroupRefused as error:
        return await _refuse(mayfly, job, attempt, error.refusal)
    except TryAgain as error:
        # It may have been accepted: the next poll finds out, and repeats it if the group is missing.
        _logger.warning("creating %s: %s", attempt.group, error)
        return None
    return job


async def _refuse(mayfly: Mayfly, job: Job, attempt: Attempt, refusal: Refusal) -> Job:
    return await _carry_out(mayfly, c.RefuseContainer(attempt=attempt.number, refusal=refusal), job)


async def _carry_out(mayfly: Mayfly, command: c.Command, job: Job) -> Job:
    return (await mayfly.streams.carry_out(command, job)).after


def _request(mayfly: Mayfly, job: Job, attempt: Attempt, secrets: dict[str, str]) -> GroupRequest:
    spec = job.spec
    token = mayfly.tokens.sign(
        job.job_id,
        attempt.number,
        now=mayfly.clock.now(),
        lifetime_s=spec.start_timeout_s + spec.run_timeout_s + _TOKEN_GRACE_S,
    )
    return GroupRequest(
        group=attempt.group,
        place=attempt.place,
        job_id=job.job_id,
        attempt=attempt.number,
        image=spec.image,
        command=spec.command or (),
        env={
            **spec.env,
            # The worker contract requires it; it is empty for a command.
            "MESSAGE": spec.message or "",
            "CONTAINER_NAME": attempt.group,
            "MAYFLY_JOB_ID": job.job_id,
            "MAYFLY_ATTEMPT": str(attempt.number),
            "MAYFLY_REPORT_URL": f"{mayfly.public_url}/api/jobs/{job.job_id}/reports",
            **_heartbeat(mayfly.polls.heartbeat_timeout_s),
            **({"MAYFLY_SECRET_NAMES": ",".join(spec.secrets)} if spec.secrets else {}),
        },
        secure_env={**secrets, "MAYFLY_REPORT_TOKEN": token},
        cpu=spec.cpu,
        memory_gb=spec.memory_gb,
    )


def _heartbeat(timeout_s: float | None) -> dict[str, str]:
    """Return the variables that request heartbeats: the current name, and the one that older worker images read."""
    if timeout_s is None:
        return {}
    interval_s = f"{timeout_s / HEARTBEATS_PER_TIMEOUT:g}"
    return {"MAYFLY_HEARTBEAT_SECONDS": interval_s, "MAYFLY_ALIVE_SECONDS": interval_s}


def _observation(attempt: Attempt, status: GroupStatus | None) -> c.ObserveContainer:
    if status is None:
        return c.ObserveContainer(attempt=attempt.number, seen="gone")
    return c.ObserveContainer(
        attempt=attempt.number,
        seen=status.phase,
        exit_code=status.exit_code,
        started_at=status.started_at,
        pulling_at=status.pulling_at,
        detail=status.detail,
    )


async def _clean_up(mayfly: Mayfly, job: Job, attempt: Attempt) -> Job:
    """Confirm that the attempt's container is gone; otherwise keep its traces and delete it.

    Errors: `RuntimeUnavailable`, `_DeletesUsedUp`; the next call resumes.
    """
    gone = c.ConfirmGone(attempt=attempt.number)
    if attempt.container == "deleting" or attempt.outcome == "refused":  # it may be gone already
        if await mayfly.runtime.inspect(attempt.group, place=attempt.place) is None:
            return await _carry_out(mayfly, gone, job)
        # The last delete still has time to take effect; each next one gets that much longer.
        patience = timedelta(seconds=mayfly.polls.delete_retry_s * attempt.delete_requests)
        since = attempt.delete_requested_at
        if since is not None and mayfly.clock.now() < since + patience:
            return job
    later = await mayfly.admission.may_delete(attempt.place, now=mayfly.clock.now())
    if later is not None:
        raise _DeletesUsedUp(later)
    job = await _carry_out(mayfly, await _traces(mayfly, job, attempt), job)
    if await mayfly.runtime.delete(attempt.group, place=attempt.place):
        return await _carry_out(mayfly, gone, job)
    return job


async def _traces(mayfly: Mayfly, job: Job, attempt: Attempt) -> c.RequestDelete:
    """Read output and metrics. A container is deleted even if they are unavailable: it must not linger."""
    tail: LogTail | None = None
    samples: Sequence[MetricSample] = ()
    if attempt.logs_position is None and attempt.outcome != "refused":
        try:
            tail = await mayfly.runtime.logs(attempt.group, place=attempt.place, bytes_max=LOG_BYTES_MAX)
            if tail is not None and job.spec.image is not None:
                tail = await without_secrets(mayfly.secrets, job.spec.secrets, tail)
            samples = await mayfly.runtime.metrics(attempt.group, place=attempt.place)
        except RuntimeUnavailable as error:
            _logger.warning("reading the traces of %s: %s", attempt.group, error)
    return c.RequestDelete(
        attempt=attempt.number,
        log_text=tail.text if tail is not None else None,
        log_truncated=tail is not None and tail.truncated,
        samples=tuple((one.at, one.cpu_cores, one.memory_bytes) for one in samples),
    )
