"""From events to a job: `evolve` applies one event and is the only way to change a state; `fold` applies a stream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from mayfly.errors import ImpossibleEvent
from mayfly.jobs import events as e
from mayfly.jobs.job import Attempt, AttemptOutcome, Job, Progress
from mayfly.jobs.lifecycle import CONTAINER_FACTS, next_state
from mayfly.jobs.spec import ErrorClass, JobSpec

OUTPUT_CHARS_MAX = 2_000
"""Length of the end of the output that the job keeps; the event has the whole tail."""

_TIMEOUTS: dict[e.Deadline, ErrorClass] = {"start": "start_timeout", "run": "run_timeout"}

_Value = TypeVar("_Value", Job, Attempt)


def fold(stream: Iterable[e.Event], job: Job | None = None) -> Job | None:
    """Apply events in order; None for an empty stream."""
    for event in stream:
        job = evolve(job, event)
    return job


def evolve(job: Job | None, event: e.Event) -> Job:
    """Return the job after one more event.

    Errors: `ImpossibleEvent` if the event cannot follow, by its position or by the lifecycle tables.
    """
    if job is None and isinstance(event.body, e.JobSubmitted) and event.position == 1:
        return _opened(event, event.body)
    state = next_state(job.state, event.type) if job is not None else None
    if job is None or state is None or event.position != job.position + 1:
        before = "no job yet" if job is None else f"{job.state} at position {job.position}"
        raise ImpossibleEvent(job_id=event.job_id, position=event.position, event_type=event.type, state=before)
    attempts = tuple(_attempt_after(a, event, job.spec) if a.number == event.attempt else a for a in job.attempts)
    failures = sum(a.outcome in ("failed", "timed_out") for a in attempts)
    job = _changed(job, position=event.position, state=state, updated_at=event.at, attempts=attempts, failures=failures)
    return _job_after(job, event)


def _changed(value: _Value, **changes: Any) -> _Value:
    """Return a copy with some fields changed.

    It does the same as `dataclasses.replace` without checking every field: a stream is folded at each step of its job,
    and that check took a quarter of a job's time. A test compares the names with the fields.
    """
    copy = object.__new__(type(value))
    copy.__dict__.update(value.__dict__, **changes)
    return copy


def _opened(event: e.Event, body: e.JobSubmitted) -> Job:
    return Job(
        job_id=event.job_id,
        position=event.position,
        state="queued",
        spec=body.spec,
        source=event.source,
        submitted_at=event.at,
        updated_at=event.at,
        idempotency_key=body.idempotency_key,
    )


def _job_after(job: Job, event: e.Event) -> Job:
    """Return the job with the event's effect on its own fields; its attempts and its state are up to date."""
    body = event.body
    match body:
        case e.JobHeld():
            return _changed(job, held_reason=body.reason, held_until=body.until)
        case e.ContainerRequested():
            attempt = Attempt(
                number=event.attempt,
                group=body.group,
                place=body.place,
                requested_at=event.at,
                start_deadline=body.start_deadline,
            )
            return _changed(job, attempts=(*job.attempts, attempt), held_reason=None, held_until=None, retry_at=None)
        case e.ContainerRefused():
            return _changed(job, refusals=job.refusals + 1 if body.refusal == "retry" else 0)
        case e.WorkerStarted():
            return _changed(job, refusals=0)
        case e.WorkerSucceeded():
            return _changed(job, result=body.result, output=body.output_tail[-OUTPUT_CHARS_MAX:])
        case e.WorkerFailed():
            return _changed(job, output=body.output_tail[-OUTPUT_CHARS_MAX:])
        case e.LogsCaptured() if job.output is None and body.text:
            return _changed(job, output=body.text[-OUTPUT_CHARS_MAX:])
        case e.RetryScheduled():
            return _changed(job, retry_at=body.at, output=None)
        case e.CancelRequested():
            return _changed(job, cancel_requested_at=event.at)
        case e.JobSucceeded():
            return _changed(job, ended_at=event.at)
        case e.JobFailed():
            return _changed(job, ended_at=event.at, error=body.error, message=body.message)
        case e.JobTimedOut():
            message = job.attempt.message if job.attempt else None
            return _changed(job, ended_at=event.at, error=_TIMEOUTS[body.deadline], message=message)
        case e.JobCanceled():
            return _changed(job, ended_at=event.at, held_reason=None, held_until=None, retry_at=None)
        case e.JobArchived():
            return _changed(job, archived=True)
        case _:
            return job


def _attempt_after(attempt: Attempt, event: e.Event, spec: JobSpec) -> Attempt:
    """Return an attempt after one of its events."""
    body = event.body
    if (container := CONTAINER_FACTS.get(event.type)) is not None:
        attempt = _changed(attempt, container=container)
    match body:
        case e.WorkerProgressed():
            progress = Progress(sequence=body.sequence, fraction=body.fraction, message=body.message, at=event.at)
            return _changed(attempt, progress=progress, progress_count=attempt.progress_count + 1)
        case e.ContainerRefused():
            message = f"{body.code}: {body.message} ({body.hint})"
            return _ended(attempt, event, "refused", error="container_refused", message=message, refusal=body.refusal)
        case e.ContainerStarted():
            return _changed(attempt, started_at=body.started_at or event.at, pulling_at=body.pulling_at)
        case e.WorkerStarted():
            started_at = attempt.started_at or event.at
            return _changed(
                attempt, claim=body.claim, claimed_at=event.at, run_deadline=body.run_deadline, started_at=started_at
            )
        case e.WorkerSucceeded():
            return _reported(attempt, event, body, "succeeded")
        case e.WorkerFailed():
            return _reported(attempt, event, body, "failed", error=body.error, message=body.message)
        case e.ContainerExited():
            return _exited(attempt, event, body, spec)
        case e.ContainerGone() if attempt.outcome is None:
            message = "the container is gone although Mayfly did not request its deletion"
            lost: ErrorClass = "container_lost"
            return _ended(attempt, event, "failed", gone_at=event.at, error=lost, message=message, exit_code=None)
        case e.ContainerGone():
            return _changed(attempt, gone_at=event.at)
        case e.ContainerFound():
            return _changed(attempt, gone_at=None)
        case e.AttemptTimedOut():
            if body.deadline == "start":
                message = f"no worker claimed the attempt within {spec.start_timeout_s:g} s"
            else:
                message = f"the work was not finished within {spec.run_timeout_s:g} s"
            return _ended(attempt, event, "timed_out", error=_TIMEOUTS[body.deadline], message=message)
        case e.LogsCaptured():
            return _changed(attempt, logs_position=event.position)
        case e.MetricsSampled():
            return _changed(attempt, metrics_position=event.position)
        case e.ContainerDeleteRequested():
            return _changed(attempt, delete_requested_at=event.at, delete_requests=attempt.delete_requests + 1)
        case e.ReportIgnored():
            return _changed(attempt, ignored=(*attempt.ignored, f"{body.report}:{body.reason}"))
        case e.JobCanceled():
            return _ended(attempt, event, "canceled")
        case _:
            return attempt


def _ended(attempt: Attempt, event: e.Event, outcome: AttemptOutcome, **changes: Any) -> Attempt:
    """Close the attempt if it is still open: its first outcome is final."""
    if attempt.outcome is None:
        changes |= {"outcome": outcome, "ended_at": event.at}
    return _changed(attempt, **changes)


def _reported(
    attempt: Attempt, event: e.Event, body: e.WorkerSucceeded | e.WorkerFailed, outcome: AttemptOutcome, **changes: Any
) -> Attempt:
    usage = {"cpu_s": body.cpu_s, "memory_peak_bytes": body.memory_peak_bytes}
    return _ended(attempt, event, outcome, reported=True, exit_code=body.exit_code, **usage, **changes)


def _exited(attempt: Attempt, event: e.Event, body: e.ContainerExited, spec: JobSpec) -> Attempt:
    """Close the attempt as the platform reported; without a worker's report, this is final."""
    code = body.exit_code
    attempt = _changed(attempt, container_exit_code=code, exit_seen=True, exit_code=code)
    if spec.judged_by_exit_code and code == 0:
        return _ended(attempt, event, "succeeded")
    error: ErrorClass = "exit" if spec.judged_by_exit_code and code else "container_lost"
    code_text = "an unknown exit code" if code is None else f"exit code {code}"
    message = f"the container ended with {code_text} before its worker reported a result"
    if body.detail:
        message += f" ({body.detail})"
    return _ended(attempt, event, "failed", error=error, message=message)
