"""An attempt's three moments: begin it, look at it, end it. Each does its work, writes its events, and says what next.

Every one of them starts from the log and may run twice, late, or after the task hub was lost (I1, I7): in a state that
it is not made for it does nothing and says what the state asks for instead. Each is over within seconds; waiting is
the orchestrator's.
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
"""Of a container's output that is kept in the log; the platform itself keeps 16 KB of a stopped one."""
_TOKEN_GRACE_S = 3_600.0
"""How long a token outlives the attempt's deadlines, so that a late worker is told 410 and not 401."""

_SILENCE_S = 5.0
"""How long a platform that did not answer is left alone, where the job itself names no time."""

_logger = logging.getLogger("mayfly.use_cases.attempts")


async def begin_attempt(mayfly: Mayfly, job_id: str) -> NextStep:
    """Admit the job, write `ContainerRequested`, and ask for the container; or say why not yet."""
    job = await mayfly.streams.load(job_id)
    if _may_begin(next_step(job, mayfly.clock.now(), mayfly.pace)):
        try:
            admission = await mayfly.admission.admit(job, now=mayfly.clock.now())
        except RuntimeUnavailable as error:  # the ledger starts from the groups that there are
            _logger.warning("admitting %s: %s", job_id, error)
            return begin_later(mayfly.clock.now() + timedelta(seconds=_SILENCE_S))
        if isinstance(admission, Held):
            hold = c.HoldJob(reason=admission.reason, until=admission.until)
            job = (await mayfly.streams.carry_out(hold, job)).after
            step = next_step(job, mayfly.clock.now(), mayfly.pace)
            # A hold that is no news is not in the log, so the time to ask again is the admission's.
            return begin_later(admission.until) if _may_begin(step) else step
        outcome = await mayfly.streams.carry_out(c.RequestContainer(place=admission.place), job)
        job = outcome.after
        if outcome.events and job.attempt is not None:
            created = await _create(mayfly, job, job.attempt)
            return await _next(mayfly, created or job, unsure=created is None)
    elif job.state == "queued":
        # Asked too early. Nothing is given back, as nowhere above: it has no share, and would lose its turn in line.
        return next_step(job, mayfly.clock.now(), mayfly.pace)
    attempt = job.attempt
    unsure = False
    if attempt is not None and attempt.container == "requested":
        # It was asked for before, perhaps. A platform may take a second create for a change, so it is looked at first.
        job, unsure = await _look(mayfly, job)
    return await _next(mayfly, job, unsure=unsure)


async def observe_attempt(mayfly: Mayfly, job_id: str, *, doubted: bool = False) -> NextStep:
    """Hold the attempt against its deadlines, and against what the platform shows where its worker is silent.

    `doubted`: somebody saw that something is wrong with the container, so the platform is asked in any case.
    """
    job, unsure = await _look(mayfly, await mayfly.streams.load(job_id), doubted=doubted)
    return await _next(mayfly, job, unsure=unsure)


async def end_attempt(mayfly: Mayfly, job_id: str) -> NextStep:
    """Keep what each container of the job leaves behind, delete it, and look whether it is gone."""
    job = await mayfly.streams.load(job_id)
    again_at: datetime | None = None
    for attempt in job.lingering:
        try:
            job = await _clean_up(mayfly, job, attempt)
        except RuntimeUnavailable as error:
            _logger.warning("deleting %s: %s", attempt.group, error)
            again_at = mayfly.clock.now() + timedelta(seconds=_SILENCE_S)
            job = await mayfly.streams.load(job_id)  # with what was written before the silence
        except _NotYet as wait:
            again_at = wait.until
    if job.lingering:
        job, _ = await _look(mayfly, job)  # the deadlines of a later attempt wait for no earlier one's container
    step = await _next(mayfly, job)
    if again_at is not None and step.activity == "end_attempt" and step.due_at is None:
        return NextStep(activity="end_attempt", due_at=again_at)
    return step


class _NotYet(Exception):
    """The platform's rate of deletes is used up until then."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(until)


def _may_begin(step: NextStep) -> bool:
    return step.activity == "begin_attempt" and step.due_at is None


async def _next(mayfly: Mayfly, job: Job, *, unsure: bool = False) -> NextStep:
    """Give back the job's share of its place once it has no container, and say what comes next."""
    if all(attempt.container == "gone" for attempt in job.attempts):
        await mayfly.admission.release(job.job_id)
    return next_step(job, mayfly.clock.now(), mayfly.pace, unsure=unsure)


async def _look(mayfly: Mayfly, job: Job, *, doubted: bool = False) -> tuple[Job, bool]:
    """Look at the open attempt, if there is one. True: the platform did not answer."""
    attempt = job.attempt
    if attempt is None or attempt.outcome is not None:
        return job, False
    believed = alive_until(job, mayfly.pace)
    if doubted or believed is None or believed <= mayfly.clock.now():
        job, unsure = await _ask_platform(mayfly, job, attempt)
    else:
        unsure = False  # its worker spoke a moment ago
    return (await mayfly.streams.carry_out(c.ExpireDeadline(), job)).after, unsure


async def _ask_platform(mayfly: Mayfly, job: Job, attempt: Attempt) -> tuple[Job, bool]:
    try:
        status = await mayfly.runtime.inspect(attempt.group, place=attempt.place)
    except RuntimeUnavailable as error:
        # No answer says nothing about the container (pain 8); only the clock may end the attempt now.
        _logger.warning("looking at %s: %s", attempt.group, error)
        return job, True
    if status is None and attempt.container == "requested":
        # Nobody has seen it yet: the create was lost with the process that was to send it.
        created = await _create(mayfly, job, attempt)
        return created or job, created is None
    if status is not None and status.refusal is not None and attempt.container == "requested":
        return await _refuse(mayfly, job, attempt, status.refusal), False
    if status is not None and mayfly.runtime.capabilities.live_metrics:
        with contextlib.suppress(RuntimeUnavailable):  # a reading is taken at every look, and may be missed
            await mayfly.runtime.metrics(attempt.group, place=attempt.place)
    return (await mayfly.streams.carry_out(_observation(attempt, status), job)).after, False


async def _create(mayfly: Mayfly, job: Job, attempt: Attempt) -> Job | None:
    """Ask for the group; asking again for one that is there changes nothing. None: nobody knows if it was taken."""
    try:
        secrets = await mayfly.secrets.resolve(job.spec.secrets)
        await mayfly.runtime.create(_request(mayfly, job, attempt, secrets))
    except SecretMissing as error:
        refusal = Refusal(kind="permanent", code="SecretMissing", message=str(error), hint=error.hint)
        return await _refuse(mayfly, job, attempt, refusal)
    except GroupRefused as error:
        return await _refuse(mayfly, job, attempt, error.refusal)
    except TryAgain as error:
        # Accepted or not, nobody knows: the next look asks, and asks for it again if it is not there.
        _logger.warning("creating %s: %s", attempt.group, error)
        return None
    return job


async def _refuse(mayfly: Mayfly, job: Job, attempt: Attempt, refusal: Refusal) -> Job:
    command = c.RefuseContainer(attempt=attempt.number, refusal=refusal)
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
            # The worker's contract names it as required: empty where a command needs none.
            "MESSAGE": spec.message or "",
            "CONTAINER_NAME": attempt.group,
            "MAYFLY_JOB_ID": job.job_id,
            "MAYFLY_ATTEMPT": str(attempt.number),
            "MAYFLY_REPORT_URL": f"{mayfly.public_url}/api/jobs/{job.job_id}/reports",
            **_heartbeat(mayfly.pace.heartbeat_timeout_s),
            **({"MAYFLY_SECRET_NAMES": ",".join(spec.secrets)} if spec.secrets else {}),
        },
        secure_env={**secrets, "MAYFLY_REPORT_TOKEN": token},
        cpu=spec.cpu,
        memory_gb=spec.memory_gb,
        tags={"mayfly-job": job.job_id, "mayfly-attempt": str(attempt.number)},
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
    gone = c.ConfirmGone(attempt=attempt.number)
    asked_at = attempt.delete_requested_at
    if attempt.container == "deleting" or attempt.outcome == "refused":
        if await mayfly.runtime.inspect(attempt.group, place=attempt.place) is None:
            return (await mayfly.streams.carry_out(gone, job)).after
        patience = timedelta(seconds=mayfly.pace.delete_retry_s * attempt.delete_requests)
        if asked_at is not None and mayfly.clock.now() < asked_at + patience:
            return job
    later = await mayfly.admission.may_delete(attempt.place, now=mayfly.clock.now())
    if later is not None:
        raise _NotYet(later)
    traces = await _traces(mayfly, job, attempt)
    job = (await mayfly.streams.carry_out(traces, job)).after
    if await mayfly.runtime.delete(attempt.group, place=attempt.place):
        return (await mayfly.streams.carry_out(gone, job)).after
    return job


async def _traces(mayfly: Mayfly, job: Job, attempt: Attempt) -> c.RequestDelete:
    """Take the log and the readings. What cannot be had is not worth a container that stays (pain 7)."""
    tail: LogTail | None = None
    samples: Sequence[MetricSample] = ()
    if attempt.logs_position is None and attempt.outcome != "refused":
        try:
            tail = await mayfly.runtime.logs(attempt.group, place=attempt.place, bytes_max=LOG_BYTES_MAX)
            if tail is not None and job.spec.image is not None:
                tail = await without_secrets(mayfly.secrets, job.spec.secrets, tail)
            samples = await mayfly.runtime.metrics(attempt.group, place=attempt.place)
        except RuntimeUnavailable as error:
            _logger.warning("reading what %s leaves: %s", attempt.group, error)
    return c.RequestDelete(
        attempt=attempt.number,
        log_text=tail.text if tail is not None else None,
        log_truncated=tail.truncated if tail is not None else False,
        samples=tuple((sample.at, sample.cpu_cores, sample.memory_bytes) for sample in samples),
    )
