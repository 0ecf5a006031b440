"""Mutants: each is a small wrong version of a real function, with the invariants of which it breaks one first.

A simulation without findings proves nothing until it kills these.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from mayfly.app import Mayfly
from mayfly.containers.runtime import GroupRequest, GroupStatus
from mayfly.errors import ImpossibleEvent, RuntimeUnavailable
from mayfly.jobs import commands as c
from mayfly.jobs import decide, lifecycle
from mayfly.jobs import events as e
from mayfly.jobs import evolve as evolving
from mayfly.jobs.evolve import evolve
from mayfly.jobs.job import Attempt, Job
from mayfly.jobs.next_step import NextStep
from mayfly.jobs.reports import Verdict, judge
from mayfly.jobs.retry import may_retry
from mayfly.log.event_log import EventLog, Recorded
from mayfly.use_cases import attempts, reconcile
from mayfly.views import projection
from orchestrations import run_job
from tests.mayfly.log.memory import MemoryEventLog
from tests.simulation.invariants import SECRET_VALUE


@dataclass(frozen=True)
class Mutant:
    """A bug, and what it must break."""

    name: str
    breaks: frozenset[str]
    patches: tuple[tuple[Any, str, Any], ...]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Run a block with the bug in the code."""
        with ExitStack() as stack:
            for target, name, wrong in self.patches:
                stack.enter_context(patch.object(target, name, wrong))
            yield


def _wait_for_fresh_events(context: Any, step: NextStep, events: dict[str, Any]) -> Generator[Any, Any, bool]:
    for name in step.wake_events:
        if name not in events:
            events[name] = context.wait_for_external_event(name)
    pending = [events[name] for name in step.wake_events if not events[name].is_completed]
    due = context.create_timer(step.due_at)
    winner = yield context.task_any([*pending, due])
    if winner is not due and not due.is_completed:
        due.cancel()
    return winner is not due


def _wait_for_events_only(context: Any, step: NextStep, events: dict[str, Any]) -> Generator[Any, Any, bool]:
    names = step.wake_events
    if not names:
        return (yield from _real_wait(context, step, events))
    for name in names:
        if name not in events:
            events[name] = context.wait_for_external_event(name)
    yield context.task_any([events[name] for name in names])
    return True


def _linger_never(job: Job) -> tuple[Attempt, ...]:
    return () if job.state == "queued" else _real_lingering(job)


def _any_claim(job: Job, report: c.Report) -> Verdict:
    attempt = job.attempt_numbered(report.attempt)
    if isinstance(report, c.ClaimAttempt) and attempt is not None and attempt.outcome is None:
        return "accept"
    return judge(job, report)


def _any_progress(job: Job, report: c.Report) -> Verdict:
    verdict = judge(job, report)
    attempt = job.attempt_numbered(report.attempt)
    progress = isinstance(report, c.ReportWork) and isinstance(report.body, e.WorkerProgressed)
    again = progress and attempt is not None and attempt.outcome is None
    return "accept" if again and verdict == "seen" else verdict


def _success_at_any_time(job: Job, report: c.Report) -> Verdict:
    attempt = job.attempt_numbered(report.attempt)
    mine = attempt is not None and attempt.claim == report.claim and attempt.outcome == "timed_out"
    success = isinstance(report, c.ReportWork) and isinstance(report.body, e.WorkerSucceeded)
    return "accept" if mine and success else judge(job, report)


def _any_next_state(state: lifecycle.JobState, kind: str) -> lifecycle.JobState | None:
    ends: dict[str, lifecycle.JobState] = {
        "JobSucceeded": "succeeded",
        "JobCanceled": "canceled",
        "JobFailed": "failed",
    }
    return ends.get(kind) or lifecycle.next_state(state, kind) or state


def _cancel_what_is_over(draft: Any, command: c.RequestCancel) -> None:
    if draft.job.state != "canceled":
        draft.add(e.CancelRequested(reason=command.reason), command.source)
        draft.add(e.JobCanceled(), command.source)


async def _append_anyway(log: MemoryEventLog, events: Sequence[e.Event], *, expected_position: int) -> None:
    log._streams.setdefault(events[0].job_id, []).extend(events)
    log._all.extend(Recorded(global_position=0, event=event) for event in events)


async def _gone_when_asked_for(mayfly: Mayfly, job: Job, attempt: Attempt) -> Job:
    job = (await mayfly.streams.carry_out(await attempts._traces(mayfly, job, attempt), job)).after
    await mayfly.runtime.delete(attempt.group, place=attempt.place)
    return (await mayfly.streams.carry_out(c.ConfirmGone(attempt=attempt.number), job)).after


async def _whatever_comes(kept: Job | None, delivered: list[e.Event], log: EventLog) -> Job | None:
    job = kept
    for event in delivered:
        try:
            job = evolve(None if job is None else replace(job, position=event.position - 1), event)
        except ImpossibleEvent:
            continue
    return job


async def _start_nothing(mayfly: Mayfly, orchestrators: Any) -> int:
    return 0


async def _everything_is_expected(mayfly: Mayfly, listing: Any) -> str:
    return "expected"


def _name_it_anew(mayfly: Mayfly, job: Job, attempt: Attempt, secrets: dict[str, str]) -> GroupRequest:
    request = _real_request(mayfly, job, attempt, secrets)
    late = mayfly.clock.now() > attempt.requested_at
    return replace(request, group=f"{request.group}-again") if late else request


def _lost_is_well(draft: Any) -> None:
    attempt = draft.job.attempt
    if attempt.error == "container_lost":
        draft.add(e.JobSucceeded(), "orchestrator")
    else:
        _real_after_end(draft)


def _unknown_is_zero(attempt: Attempt, status: GroupStatus | None) -> c.ObserveContainer:
    seen = _real_observation(attempt, status)
    return replace(seen, exit_code=seen.exit_code or 0) if seen.seen == "exited" else seen


def _once_more(job: Job, attempt: Attempt) -> bool:
    if not job.spec.at_most_once:
        return may_retry(job, attempt)
    return may_retry(replace(job, spec=job.spec.model_copy(update={"at_most_once": False})), attempt)


def _without_limit(job: Job, attempt: Attempt) -> bool:
    return job.failures <= job.spec.retry.max_attempts


class _TellingStep(NextStep):
    def to_document(self) -> dict[str, Any]:
        return {**super().to_document(), "debug": SECRET_VALUE}


async def _tell_a_secret(mayfly: Mayfly, job_id: str) -> NextStep:
    step = await _real_begin(mayfly, job_id)
    return _TellingStep(activity=step.activity, due_at=step.due_at, wake_events=step.wake_events)


def _overtaken_deadline(draft: Any) -> None:
    attempt = draft.job.attempt
    if attempt is not None and attempt.outcome is None and not draft.job.over:
        draft.add(e.AttemptTimedOut(deadline="start" if attempt.claim is None else "run"), "orchestrator")
        decide._after_failure(draft)


async def _ask_the_silent_at_once(mayfly: Mayfly, job_id: str) -> NextStep:
    job = await mayfly.streams.load(job_id)
    for attempt in job.lingering:
        try:
            job = await attempts._clean_up(mayfly, job, attempt)
        except RuntimeUnavailable:
            continue
    return await attempts._next(mayfly, job)


def _never_expire(draft: Any) -> None:
    return None


_real_wait = run_job._wait
_real_lingering: Callable[[Job], tuple[Attempt, ...]] = Job.lingering.fget  # type: ignore[attr-defined]
_real_request = attempts._request
_real_after_end = decide._after_end
_real_observation = attempts._observation
_real_begin: Callable[[Mayfly, str], Awaitable[NextStep]] = attempts.begin_attempt


def _judging(wrong: Callable[[Job, c.Report], Verdict]) -> tuple[tuple[Any, str, Any], ...]:
    return ((decide, "judge", wrong),)


def _mutant(name: str, breaks: str, *patches: tuple[Any, str, Any]) -> Mutant:
    return Mutant(name, frozenset(breaks.split()), patches)


MUTANTS = (
    _mutant("the orchestrator waits for events alone", "I6", (run_job, "_wait", _wait_for_events_only)),
    _mutant("an event during an activity is forgotten", "I6", (run_job, "_wait", _wait_for_fresh_events)),
    _mutant("a retry begins before the container is gone", "I4", (Job, "lingering", property(_linger_never))),
    _mutant("any claim is accepted", "I4", *_judging(_any_claim)),
    _mutant("progress is written again", "I7", *_judging(_any_progress)),
    _mutant(
        "the end is not sticky",
        "I3",
        (evolving, "next_state", _any_next_state),
        (decide, "_cancel", _cancel_what_is_over),
    ),
    _mutant(
        "a success after the deadline flips the outcome",
        "I3",
        (evolving, "next_state", _any_next_state),
        *_judging(_success_at_any_time),
    ),
    _mutant("an append at a taken position writes", "I2", (MemoryEventLog, "append", _append_anyway)),
    _mutant("a requested delete counts as confirmed", "I5", (attempts, "_clean_up", _gone_when_asked_for)),
    _mutant("the projector applies whatever comes", "I10", (projection, "_caught_up", _whatever_comes)),
    _mutant("missing orchestrators stay missing", "I6 I5", (reconcile, "_start_missing", _start_nothing)),
    _mutant("leaks are left", "I5", (reconcile, "_check_group", _everything_is_expected)),
    _mutant("a repeated create has a new name", "I5", (attempts, "_request", _name_it_anew)),
    _mutant("a lost container is a success", "truth", (decide, "_after_end", _lost_is_well)),
    _mutant("an unknown exit code is 0", "truth", (attempts, "_observation", _unknown_is_zero)),
    _mutant("a job that runs at most once is retried", "retry I4", (decide, "may_retry", _once_more)),
    _mutant("retries have no limit", "retry", (decide, "may_retry", _without_limit)),
    _mutant("deadlines never pass", "I6", (decide, "_expire", _never_expire)),
    _mutant("deadlines pass before their time", "I6", (decide, "_expire", _overtaken_deadline)),
    _mutant("a silent container is polled again at once", "I6", (attempts, "end_attempt", _ask_the_silent_at_once)),
    _mutant("a secret goes through the task hub", "I8", (attempts, "begin_attempt", _tell_a_secret)),
)
"""Every one must be found."""
