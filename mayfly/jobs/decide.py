"""Decide which events follow from a command. Pure: `decide(job, command, now)` returns them and does nothing else.

A command that has already taken effect, or that comes too late, produces no events: idempotence comes from the state
(I7). Each event is applied as soon as it is decided, so the returned events always fit the stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Literal, assert_never

from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.jobs.evolve import evolve
from mayfly.jobs.job import Attempt, Job
from mayfly.jobs.names import group_name
from mayfly.jobs.reports import Verdict, judge, kind_of
from mayfly.jobs.retry import REFUSALS_MAX, backoff_s, hold_backoff_s, may_retry, refusal_backoff_s

HOLD_CHANGE_MIN_S = 60.0
"""A hold for the same reason is written again only if its end has moved by at least this much."""

RELOCATE_S = 1.0
"""Wait before trying another place after one had no capacity. Admission decides whether another has room."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The events that follow from a command, and the job after them."""

    events: Sequence[e.Event]
    """In order; empty when nothing follows."""
    job: Job
    verdict: Verdict | None = None
    """How a report was judged; None: the command was not a report."""


class _Draft:
    """A decision in the making: the job after the events so far."""

    def __init__(self, job: Job, now: datetime) -> None:
        self.job = job
        self.now = now
        self.events: list[e.Event] = []
        self.verdict: Verdict | None = None

    def add(self, body: e.Body, source: e.Source, attempt: int | None = None) -> None:
        """Add an event of this attempt, of the latest if it is None, and apply it to the job."""
        event = e.Event(
            job_id=self.job.job_id,
            position=self.job.position + 1,
            at=self.now,
            attempt=len(self.job.attempts) if attempt is None else attempt,
            source=source,
            body=body,
        )
        self.job = evolve(self.job, event)
        self.events.append(event)


def submit(command: c.SubmitJob, now: datetime) -> Decision:
    """Open a stream. The log checks that the stream is new: the append expects position 0."""
    body = e.JobSubmitted(spec=command.spec, idempotency_key=command.idempotency_key)
    event = e.Event(job_id=command.job_id, position=1, at=now, attempt=0, source=command.source, body=body)
    return Decision(events=(event,), job=evolve(None, event))


def decide(job: Job, command: c.Command, now: datetime) -> Decision:
    """Return the events that follow from a command."""
    draft = _Draft(job, now)
    match command:
        case c.RequestCancel():
            _cancel(draft, command)
        case c.ArchiveJob():
            if job.over and not job.archived:
                draft.add(e.JobArchived(), command.source)
        case c.HoldJob():
            if job.state == "queued" and _changes_hold(job, command):
                draft.add(e.JobHeld(reason=command.reason, until=command.until), "orchestrator")
        case c.RequestContainer():
            _request_container(draft, command)
        case c.RefuseContainer():
            _refuse_container(draft, command)
        case c.ClaimAttempt() | c.ReportWork():
            _report(draft, command)
        case c.ObserveContainer():
            _observe(draft, command)
        case c.ExpireDeadline():
            _expire(draft)
        case c.RequestDelete():
            _request_delete(draft, command)
        case c.ConfirmGone():
            attempt = job.attempt_numbered(command.attempt)
            if attempt is not None and attempt.outcome is not None and attempt.container != "gone":
                draft.add(e.ContainerGone(group=attempt.group), "platform", attempt.number)
        case c.NoteFound():
            attempt = job.attempt_numbered(command.attempt)
            if attempt is not None and attempt.container == "gone":
                draft.add(e.ContainerFound(group=attempt.group), "platform", attempt.number)
        case _:
            assert_never(command)
    return Decision(events=tuple(draft.events), job=draft.job, verdict=draft.verdict)


def _cancel(draft: _Draft, command: c.RequestCancel) -> None:
    """End the job at once; its container is deleted after the outcome, like any other."""
    if draft.job.over:
        return
    draft.add(e.CancelRequested(reason=command.reason), command.source)
    draft.add(e.JobCanceled(), command.source)


def _changes_hold(job: Job, hold: c.HoldJob) -> bool:
    """Say whether a hold differs enough from the last one to be written; a long wait must not bloat the log."""
    if job.held_until is None or job.held_reason != hold.reason:
        return True
    return abs((hold.until - job.held_until).total_seconds()) >= HOLD_CHANGE_MIN_S


def _request_container(draft: _Draft, command: c.RequestContainer) -> None:
    job = draft.job
    if job.state != "queued" or job.lingering:
        return  # the previous attempt's container must be confirmed gone first (I4)
    if (job.retry_at or draft.now) > draft.now or (job.held_until or draft.now) > draft.now:
        return
    number = len(job.attempts) + 1
    body = e.ContainerRequested(
        group=group_name(job.job_id, attempt=number, place=command.place),
        place=command.place,
        image=job.spec.image,
        cpu=job.spec.cpu,
        memory_gb=job.spec.memory_gb,
        start_deadline=draft.now + timedelta(seconds=job.spec.start_timeout_s),
    )
    draft.add(body, "orchestrator", number)


def _refuse_container(draft: _Draft, command: c.RefuseContainer) -> None:
    attempt = _open_attempt(draft.job, command.attempt)
    if attempt is None or attempt.container != "requested":
        return  # the container is known to run, so a second create was refused
    refusal = command.refusal
    refused = e.ContainerRefused(refusal=refusal.kind, code=refusal.code, message=refusal.message, hint=refusal.hint)
    draft.add(refused, "platform")
    refusals = draft.job.refusals
    if refusal.kind == "permanent" or (refusal.kind == "retry" and refusals > REFUSALS_MAX):
        draft.add(e.JobFailed(error="container_refused", message=str(refusal)), "orchestrator")
        return
    waits = len([*takewhile(lambda one: one.refusal == "wait", reversed(draft.job.attempts))])
    wait_s = {"retry": refusal_backoff_s(refusals), "relocate": RELOCATE_S}.get(refusal.kind, hold_backoff_s(waits))
    until = draft.now + timedelta(seconds=refusal.retry_after_s or wait_s)
    draft.add(e.JobHeld(reason=str(refusal), until=until), "orchestrator")


def _report(draft: _Draft, report: c.Report) -> None:
    job = draft.job
    verdict = draft.verdict = judge(job, report)
    if verdict == "claimed_by_another" or verdict == "attempt_over":
        _ignore(draft, report, verdict)
    if verdict != "accept":
        return
    if isinstance(report, c.ClaimAttempt):
        deadline = draft.now + timedelta(seconds=job.spec.run_timeout_s)
        draft.add(e.WorkerStarted(claim=report.claim, run_deadline=deadline), "worker")
        return
    draft.add(report.body, "worker")
    match report.body:
        case e.WorkerProgressed():
            pass
        case e.WorkerSucceeded():
            draft.add(e.JobSucceeded(), "orchestrator")
        case e.WorkerFailed():
            _after_failure(draft)
        case _:
            assert_never(report.body)


def _ignore(draft: _Draft, report: c.Report, reason: Literal["claimed_by_another", "attempt_over"]) -> None:
    attempt = draft.job.attempt_numbered(report.attempt)
    kind = kind_of(report)
    if attempt is None or f"{kind}:{reason}" in attempt.ignored:
        return
    body = e.ReportIgnored(report=kind, reason=reason, claim=report.claim)
    draft.add(body, "worker", attempt.number)


def _observe(draft: _Draft, command: c.ObserveContainer) -> None:
    attempt = _open_attempt(draft.job, command.attempt)
    if attempt is None:
        return
    match command.seen:
        case "pending":
            pass
        case "running":
            if attempt.container == "requested":
                body = e.ContainerStarted(started_at=command.started_at, pulling_at=command.pulling_at)
                draft.add(body, "platform")
        case "exited":
            draft.add(e.ContainerExited(exit_code=command.exit_code, detail=command.detail), "platform")
            _after_end(draft)
        case "gone":
            draft.add(e.ContainerGone(group=attempt.group), "platform")
            _after_end(draft)
        case _:
            assert_never(command.seen)


def _expire(draft: _Draft) -> None:
    job = draft.job
    attempt = _open_attempt(job, len(job.attempts))
    if attempt is None:
        return
    deadline = job.run_deadline(attempt)
    if deadline is not None and draft.now >= deadline:
        draft.add(e.AttemptTimedOut(deadline="run"), "orchestrator")
    elif deadline is None and draft.now >= attempt.start_deadline:
        draft.add(e.AttemptTimedOut(deadline="start"), "orchestrator")
    else:
        return
    _after_failure(draft)


def _request_delete(draft: _Draft, command: c.RequestDelete) -> None:
    attempt = draft.job.attempt_numbered(command.attempt)
    if attempt is None or attempt.outcome is None or attempt.container == "gone":
        return
    if command.log_text is not None and attempt.logs_position is None:
        captured = e.LogsCaptured(text=command.log_text, truncated=command.log_truncated)
        draft.add(captured, "platform", attempt.number)
    if command.samples and attempt.metrics_position is None:
        draft.add(e.MetricsSampled(samples=command.samples), "platform", attempt.number)
    draft.add(e.ContainerDeleteRequested(group=attempt.group), "orchestrator", attempt.number)


def _after_end(draft: _Draft) -> None:
    """Conclude an attempt that the platform ended; it succeeds only if its exit code counts as a result."""
    attempt = draft.job.attempt
    if attempt is not None and attempt.outcome == "succeeded":
        draft.add(e.JobSucceeded(), "orchestrator")
    else:
        _after_failure(draft)


def _after_failure(draft: _Draft) -> None:
    """Schedule another attempt if the policy allows one; otherwise end the job."""
    job = draft.job
    attempt = job.attempt
    if attempt is None:
        raise ValueError(f"{job.job_id} has no attempt that could have failed")
    message = attempt.message or "no reason given"
    if may_retry(job, attempt):
        at = draft.now + timedelta(seconds=backoff_s(job.spec.retry, job.failures))
        draft.add(e.RetryScheduled(at=at, reason=message), "orchestrator")
    elif attempt.outcome == "timed_out":
        deadline: e.Deadline = "start" if attempt.error == "start_timeout" else "run"
        draft.add(e.JobTimedOut(deadline=deadline), "orchestrator")
    else:
        draft.add(e.JobFailed(error=attempt.error or "worker", message=message), "orchestrator")


def _open_attempt(job: Job, number: int) -> Attempt | None:
    """Return the attempt if it is the latest and still open."""
    attempt = job.attempt
    if job.over or attempt is None or attempt.number != number or attempt.outcome is not None:
        return None
    return attempt
