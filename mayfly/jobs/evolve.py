"""From events to a job: `evolve` applies one event and is the only way to change a state; `fold` applies a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from mayfly.errors import ImpossibleEvent
from mayfly.jobs import events as e
from mayfly.jobs.job import Attempt, AttemptOutcome, Job, Progress
from mayfly.jobs.lifecycle import CONTAINER_FACTS, next_state
from mayfly.jobs.spec import ErrorClass

OUTPUT_CHARS_MAX = 2_000
"""Length of the end of the output that the job keeps; the event has the whole tail."""


def fold(stream: Iterable[e.Event], job: Job | None = None) -> Job | None:
    """Apply events in order; None for an empty stream."""
    for event in stream:
        job = evolve(job, event)
    return job


def evolve(job: Job | None, event: e.Event) -> Job:
    """Return the job after one more event.

    Errors: `ImpossibleEvent` if the event cannot follow, by its position or by the lifecycle tables.
    """
    body = event.body
    if job is None:
        if not isinstance(body, e.JobSubmitted) or event.position != 1:
            raise ImpossibleEvent(
                job_id=event.job_id, position=event.position, event_type=event.type, state="no job yet"
            )
        return _submitted(event, body)
    state = next_state(job.state, event.type)
    if state is None or event.position != job.position + 1:
        raise ImpossibleEvent(
            job_id=event.job_id,
            position=event.position,
            event_type=event.type,
            state=f"{job.state} at position {job.position}",
        )
    job = _changed(job, position=event.position, state=state, updated_at=event.at)
    if (fact := CONTAINER_FACTS.get(event.type)) is not None and not isinstance(body, e.ContainerRequested):
        job = _with_attempt(job, event.attempt, lambda a: _changed(a, container=fact))
    apply = _APPLY.get(type(body))
    return apply(job, event, body) if apply else job


_Value = TypeVar("_Value", Job, Attempt)


def _changed(value: _Value, **changes: Any) -> _Value:
    """Return a copy with some fields changed.

    It does the same as `dataclasses.replace` without checking every field: a stream is folded at each step of its job,
    and that check took a quarter of a job's time. A test compares the names with the fields.
    """
    copy = object.__new__(type(value))
    copy.__dict__.update(value.__dict__, **changes)
    return copy


def _submitted(event: e.Event, body: e.JobSubmitted) -> Job:
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


def _with_attempt(job: Job, number: int, change: Callable[[Attempt], Attempt]) -> Job:
    attempts = tuple(change(a) if a.number == number else a for a in job.attempts)
    return _changed(job, attempts=attempts)


def _ended(job: Job, event: e.Event, outcome: AttemptOutcome) -> Job:
    """Close the attempt if it is still open: its first outcome is final."""
    return _with_attempt(
        job,
        event.attempt,
        lambda a: a if a.outcome is not None else _changed(a, outcome=outcome, ended_at=event.at),
    )


def _held(job: Job, event: e.Event, body: e.JobHeld) -> Job:
    return _changed(job, held_reason=body.reason, held_until=body.until)


def _container_requested(job: Job, event: e.Event, body: e.ContainerRequested) -> Job:
    attempt = Attempt(
        number=event.attempt,
        group=body.group,
        place=body.place,
        requested_at=event.at,
        start_deadline=body.start_deadline,
    )
    return _changed(job, attempts=(*job.attempts, attempt), held_reason=None, held_until=None, retry_at=None)


def _container_refused(job: Job, event: e.Event, body: e.ContainerRefused) -> Job:
    job = _with_attempt(
        job,
        event.attempt,
        lambda a: _changed(
            a,
            error="container_refused",
            message=f"{body.code}: {body.message} ({body.hint})",
            refusal=body.refusal,
        ),
    )
    job = _changed(job, refusals=job.refusals + 1 if body.refusal == "retry" else 0)
    return _ended(job, event, "refused")


def _container_started(job: Job, event: e.Event, body: e.ContainerStarted) -> Job:
    started_at = body.started_at or event.at
    return _with_attempt(job, event.attempt, lambda a: _changed(a, started_at=started_at, pulling_at=body.pulling_at))


def _worker_started(job: Job, event: e.Event, body: e.WorkerStarted) -> Job:
    job = _changed(job, refusals=0)
    return _with_attempt(
        job,
        event.attempt,
        lambda a: _changed(
            a,
            claim=body.claim,
            claimed_at=event.at,
            run_deadline=body.run_deadline,
            started_at=a.started_at or event.at,
        ),
    )


def _worker_progressed(job: Job, event: e.Event, body: e.WorkerProgressed) -> Job:
    progress = Progress(sequence=body.sequence, fraction=body.fraction, message=body.message, at=event.at)
    return _with_attempt(
        job, event.attempt, lambda a: _changed(a, progress=progress, progress_count=a.progress_count + 1)
    )


def _worker_succeeded(job: Job, event: e.Event, body: e.WorkerSucceeded) -> Job:
    job = _with_attempt(
        job,
        event.attempt,
        lambda a: _changed(
            a,
            reported=True,
            exit_code=body.exit_code,
            cpu_s=body.cpu_s,
            memory_peak_bytes=body.memory_peak_bytes,
        ),
    )
    job = _changed(job, result=body.result, output=body.output_tail[-OUTPUT_CHARS_MAX:])
    return _ended(job, event, "succeeded")


def _worker_failed(job: Job, event: e.Event, body: e.WorkerFailed) -> Job:
    job = _with_attempt(
        job,
        event.attempt,
        lambda a: _changed(
            a,
            reported=True,
            exit_code=body.exit_code,
            error=body.error,
            message=body.message,
            cpu_s=body.cpu_s,
            memory_peak_bytes=body.memory_peak_bytes,
        ),
    )
    job = _changed(job, output=body.output_tail[-OUTPUT_CHARS_MAX:], failures=job.failures + 1)
    return _ended(job, event, "failed")


def _container_exited(job: Job, event: e.Event, body: e.ContainerExited) -> Job:
    """Close the attempt as the platform reported; without a worker's report, this is final."""
    code = body.exit_code
    if job.spec.judged_by_exit_code and code == 0:
        job = _with_attempt(
            job, event.attempt, lambda a: _changed(a, container_exit_code=code, exit_seen=True, exit_code=code)
        )
        return _ended(job, event, "succeeded")
    code_text = "an unknown exit code" if code is None else f"exit code {code}"
    error: ErrorClass = "exit" if job.spec.judged_by_exit_code and code else "container_lost"
    message = f"the container ended with {code_text} before its worker reported a result"
    job = _with_attempt(
        job,
        event.attempt,
        lambda a: _changed(
            a,
            container_exit_code=code,
            exit_seen=True,
            exit_code=code,
            error=error,
            message=f"{message} ({body.detail})" if body.detail else message,
        ),
    )
    return _ended(_changed(job, failures=job.failures + 1), event, "failed")


def _container_gone(job: Job, event: e.Event, body: e.ContainerGone) -> Job:
    def gone(attempt: Attempt) -> Attempt:
        attempt = _changed(attempt, gone_at=event.at)
        if attempt.outcome is None:
            message = "the container is gone although Mayfly did not request its deletion"
            attempt = _changed(attempt, error="container_lost", message=message, exit_code=None)
        return attempt

    lost = any(a.number == event.attempt and a.outcome is None for a in job.attempts)
    job = _with_attempt(job, event.attempt, gone)
    return _ended(_changed(job, failures=job.failures + lost), event, "failed")


def _attempt_timed_out(job: Job, event: e.Event, body: e.AttemptTimedOut) -> Job:
    error: ErrorClass = "start_timeout" if body.deadline == "start" else "run_timeout"
    limit = job.spec.start_timeout_s if body.deadline == "start" else job.spec.run_timeout_s
    unfinished = "no worker claimed the attempt" if body.deadline == "start" else "the work was not finished"
    job = _with_attempt(
        job, event.attempt, lambda a: _changed(a, error=error, message=f"{unfinished} within {limit:g} s")
    )
    return _ended(_changed(job, failures=job.failures + 1), event, "timed_out")


def _logs_captured(job: Job, event: e.Event, body: e.LogsCaptured) -> Job:
    job = _with_attempt(job, event.attempt, lambda a: _changed(a, logs_position=event.position))
    if job.output is None and body.text:
        job = _changed(job, output=body.text[-OUTPUT_CHARS_MAX:])
    return job


def _metrics_sampled(job: Job, event: e.Event, body: e.MetricsSampled) -> Job:
    return _with_attempt(job, event.attempt, lambda a: _changed(a, metrics_position=event.position))


def _retry_scheduled(job: Job, event: e.Event, body: e.RetryScheduled) -> Job:
    return _changed(job, retry_at=body.at, output=None)


def _cancel_requested(job: Job, event: e.Event, body: e.CancelRequested) -> Job:
    return _changed(job, cancel_requested_at=event.at)


def _delete_requested(job: Job, event: e.Event, body: e.ContainerDeleteRequested) -> Job:
    return _with_attempt(
        job,
        event.attempt,
        lambda a: _changed(a, delete_requested_at=event.at, delete_requests=a.delete_requests + 1),
    )


def _container_found(job: Job, event: e.Event, body: e.ContainerFound) -> Job:
    return _with_attempt(job, event.attempt, lambda a: _changed(a, gone_at=None))


def _report_ignored(job: Job, event: e.Event, body: e.ReportIgnored) -> Job:
    return _with_attempt(
        job, event.attempt, lambda a: _changed(a, ignored=(*a.ignored, f"{body.report}:{body.reason}"))
    )


def _job_succeeded(job: Job, event: e.Event, body: e.JobSucceeded) -> Job:
    return _changed(job, ended_at=event.at)


def _job_failed(job: Job, event: e.Event, body: e.JobFailed) -> Job:
    return _changed(job, ended_at=event.at, error=body.error, message=body.message)


def _job_timed_out(job: Job, event: e.Event, body: e.JobTimedOut) -> Job:
    error: ErrorClass = "start_timeout" if body.deadline == "start" else "run_timeout"
    attempt = job.attempt
    return _changed(job, ended_at=event.at, error=error, message=attempt.message if attempt else None)


def _job_canceled(job: Job, event: e.Event, body: e.JobCanceled) -> Job:
    job = _changed(job, ended_at=event.at, held_reason=None, held_until=None, retry_at=None)
    return _ended(job, event, "canceled")


def _job_archived(job: Job, event: e.Event, body: e.JobArchived) -> Job:
    return _changed(job, archived=True)


_APPLY: dict[type, Callable[[Job, e.Event, Any], Job]] = {
    e.JobHeld: _held,
    e.ContainerRequested: _container_requested,
    e.ContainerRefused: _container_refused,
    e.ContainerStarted: _container_started,
    e.WorkerStarted: _worker_started,
    e.WorkerProgressed: _worker_progressed,
    e.WorkerSucceeded: _worker_succeeded,
    e.WorkerFailed: _worker_failed,
    e.ContainerExited: _container_exited,
    e.ContainerGone: _container_gone,
    e.ContainerFound: _container_found,
    e.AttemptTimedOut: _attempt_timed_out,
    e.LogsCaptured: _logs_captured,
    e.MetricsSampled: _metrics_sampled,
    e.RetryScheduled: _retry_scheduled,
    e.CancelRequested: _cancel_requested,
    e.ContainerDeleteRequested: _delete_requested,
    e.ReportIgnored: _report_ignored,
    e.JobSucceeded: _job_succeeded,
    e.JobFailed: _job_failed,
    e.JobTimedOut: _job_timed_out,
    e.JobCanceled: _job_canceled,
    e.JobArchived: _job_archived,
}
