"""`decide`, case by case: the events that a command produces in a given situation."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.jobs.decide import RELOCATE_S, decide, submit
from mayfly.jobs.job import Job
from mayfly.jobs.refusal import Refusal, RefusalKind
from mayfly.jobs.spec import ErrorClass, JobSpec, RetryPolicy
from tests.mayfly.jobs.samples import CLAIM, JOB_ID, OTHER_CLAIM, T0

_START = c.ClaimAttempt(attempt=1, claim=CLAIM)
_OK = c.ReportWork(attempt=1, claim=CLAIM, body=e.WorkerSucceeded(result=3, exit_code=0, output_tail="out"))
_FAILED = e.WorkerFailed(error="exit", message="exit code 2", exit_code=2, output_tail="out")
_NO = c.ReportWork(attempt=1, claim=CLAIM, body=_FAILED)
_BEGIN = c.RequestContainer(place="local")
_DELETE = c.RequestDelete(attempt=1, log_text=None)
_GONE = c.ConfirmGone(attempt=1)
_CANCEL = c.RequestCancel(source="http", reason="enough")
_HOLD = c.HoldJob(reason="full", until=T0 + timedelta(seconds=60))


def _seen(seen: str, exit_code: int | None = None, attempt: int = 1) -> c.ObserveContainer:
    return c.ObserveContainer(attempt=attempt, seen=seen, exit_code=exit_code)  # type: ignore[arg-type]


def _refused(refusal: RefusalKind, retry_after_s: float | None = None, attempt: int = 1) -> c.RefuseContainer:
    return c.RefuseContainer(
        attempt=attempt,
        refusal=Refusal(kind=refusal, code="Code", message="no", hint="ask again", retry_after_s=retry_after_s),
    )


def _job(*commands: c.Command, spec: JobSpec | None = None) -> Job:
    """Return a job after these commands, one second apart."""
    opening = c.SubmitJob(job_id=JOB_ID, spec=spec or JobSpec(message="hi"), source="http")
    job = submit(opening, T0).job
    for number, command in enumerate(commands, 1):
        job = decide(job, command, T0 + timedelta(seconds=number)).job
    return job


def _types(job: Job, command: c.Command, now: datetime | None = None) -> list[str]:
    return [event.type for event in decide(job, command, now or T0 + timedelta(seconds=30)).events]


_IMAGE = JobSpec(command=("true",), image="busybox")
_RETRY = JobSpec(message="hi", retry=RetryPolicy(max_attempts=3))


_CASES: list[tuple[tuple[c.Command, ...], JobSpec | None, c.Command, list[str]]] = [
    ((), None, _BEGIN, ["ContainerRequested"]),
    ((), None, _HOLD, ["JobHeld"]),
    ((), None, _CANCEL, ["CancelRequested", "JobCanceled"]),
    ((), None, c.ArchiveJob(source="cli"), []),
    ((), None, _START, []),
    ((), None, _seen("gone"), []),
    ((), None, c.ExpireDeadline(), []),
    ((), None, _DELETE, []),
    ((), None, _GONE, []),
    ((), None, c.NoteFound(attempt=1), []),
    ((_HOLD,), None, _BEGIN, []),
    ((_BEGIN,), None, _BEGIN, []),
    ((_BEGIN,), None, _HOLD, []),
    ((_BEGIN,), None, _START, ["WorkerStarted"]),
    ((_BEGIN,), None, replace(_START, attempt=2), []),
    ((_BEGIN,), None, _OK, []),
    ((_BEGIN,), None, _NO, []),
    ((_BEGIN,), None, _seen("pending"), []),
    ((_BEGIN,), None, _seen("running"), ["ContainerStarted"]),
    ((_BEGIN,), None, _seen("exited", 0), ["ContainerExited", "JobFailed"]),
    ((_BEGIN,), _IMAGE, _seen("exited", 0), ["ContainerExited", "JobSucceeded"]),
    ((_BEGIN,), _IMAGE, _seen("exited", 3), ["ContainerExited", "JobFailed"]),
    ((_BEGIN,), _IMAGE, _seen("exited", None), ["ContainerExited", "JobFailed"]),
    ((_BEGIN,), _RETRY, _seen("exited", 0), ["ContainerExited", "RetryScheduled"]),
    ((_BEGIN,), None, _seen("gone"), ["ContainerGone", "JobFailed"]),
    ((_BEGIN,), None, _seen("gone", attempt=2), []),
    ((_BEGIN,), None, _DELETE, []),
    ((_BEGIN,), None, _GONE, []),
    ((_BEGIN,), None, _CANCEL, ["CancelRequested", "JobCanceled"]),
    ((_BEGIN,), None, _refused("permanent"), ["ContainerRefused", "JobFailed"]),
    ((_BEGIN,), None, _refused("retry"), ["ContainerRefused", "JobHeld"]),
    ((_BEGIN,), None, _refused("wait"), ["ContainerRefused", "JobHeld"]),
    ((_BEGIN,), None, _refused("relocate"), ["ContainerRefused", "JobHeld"]),
    ((_BEGIN,), None, _refused("permanent", attempt=2), []),
    ((_BEGIN, _seen("running")), None, _refused("permanent"), []),
    ((_BEGIN, _START), None, _refused("permanent"), []),
    ((_BEGIN, _START), None, _START, []),
    ((_BEGIN, _START), None, replace(_START, claim=OTHER_CLAIM), ["ReportIgnored"]),
    ((_BEGIN, _START), None, _seen("running"), []),
    ((_BEGIN, _START), None, _OK, ["WorkerSucceeded", "JobSucceeded"]),
    ((_BEGIN, _START), None, _NO, ["WorkerFailed", "JobFailed"]),
    ((_BEGIN, _START), _RETRY, _NO, ["WorkerFailed", "RetryScheduled"]),
    ((_BEGIN, _START), None, replace(_OK, claim=OTHER_CLAIM), ["ReportIgnored"]),
    ((_BEGIN, _START), None, _seen("exited", 0), ["ContainerExited", "JobFailed"]),
    ((_BEGIN, _START, _OK), None, _OK, []),
    ((_BEGIN, _START, _OK), None, _seen("gone"), []),
    ((_BEGIN, _START, _OK), None, _CANCEL, []),
    ((_BEGIN, _START, _OK), None, _DELETE, ["ContainerDeleteRequested"]),
    (
        (_BEGIN, _START, _OK),
        None,
        c.RequestDelete(attempt=1, log_text="", samples=((T0, 0.5, 1),)),
        ["LogsCaptured", "MetricsSampled", "ContainerDeleteRequested"],
    ),
    ((_BEGIN, _START, _OK, _DELETE), None, _DELETE, ["ContainerDeleteRequested"]),
    ((_BEGIN, _START, _OK, _DELETE), None, _GONE, ["ContainerGone"]),
    ((_BEGIN, _START, _OK, _DELETE, _GONE), None, _GONE, []),
    ((_BEGIN, _START, _OK, _DELETE, _GONE), None, _DELETE, []),
    ((_BEGIN, _START, _OK, _DELETE, _GONE), None, c.NoteFound(attempt=1), ["ContainerFound"]),
    ((_BEGIN, _START, _OK), None, c.NoteFound(attempt=1), []),
    ((_BEGIN, _START, _OK), None, c.ArchiveJob(source="cli"), ["JobArchived"]),
    ((_BEGIN, _START, _OK, c.ArchiveJob(source="cli")), None, c.ArchiveJob(source="cli"), []),
    ((_BEGIN, _START, _CANCEL), None, _OK, ["ReportIgnored"]),
    ((_BEGIN, _START, _CANCEL, _OK), None, _OK, []),
    ((_BEGIN, _START, _CANCEL, _OK), None, replace(_START, claim=CLAIM), ["ReportIgnored"]),
    ((_BEGIN, _START, _NO), _RETRY, _BEGIN, []),
    ((_BEGIN, _START, _NO, _DELETE, _GONE), _RETRY, _BEGIN, ["ContainerRequested"]),
]


def _case_id(case: tuple[tuple[c.Command, ...], JobSpec | None, c.Command, list[str]]) -> str:
    before, _, command, decided = case
    names = [type(each).__name__ for each in (*before, command)]
    return f"{' '.join(names)} = {' '.join(decided) or 'nothing'}"


@pytest.mark.parametrize(("before", "spec", "command", "decided"), _CASES, ids=[_case_id(case) for case in _CASES])
def test_a_command_produces_these_events(
    before: tuple[c.Command, ...], spec: JobSpec | None, command: c.Command, decided: list[str]
) -> None:
    assert _types(_job(*before, spec=spec), command) == decided


def test_a_retry_waits_for_its_time_and_for_the_container_to_be_gone() -> None:
    job = _job(_BEGIN, _START, _NO, spec=_RETRY)
    assert job.retry_at == T0 + timedelta(seconds=3 + 10)
    late = T0 + timedelta(hours=1)
    assert _types(job, _BEGIN, late) == []
    gone = _job(_BEGIN, _START, _NO, _DELETE, _GONE, spec=_RETRY)
    assert _types(gone, _BEGIN, T0 + timedelta(seconds=12.9)) == []
    assert _types(gone, _BEGIN, T0 + timedelta(seconds=13)) == ["ContainerRequested"]


@pytest.mark.parametrize(
    ("policy", "error", "exit_code", "retried"),
    [
        (RetryPolicy(max_attempts=1), "exit", 1, False),
        (RetryPolicy(max_attempts=2), "exit", 1, True),
        (RetryPolicy(max_attempts=2, on_exit_codes=(1, 75)), "exit", 75, True),
        (RetryPolicy(max_attempts=2, on_exit_codes=(1, 75)), "exit", 2, False),
        (RetryPolicy(max_attempts=2, on_exit_codes=(1,)), "signal", None, False),
        (RetryPolicy(max_attempts=2, on_errors=("signal",)), "signal", 137, True),
        (RetryPolicy(max_attempts=2, on_errors=("signal",)), "exit", 1, False),
        (RetryPolicy(max_attempts=2, on_exit_codes=(1,), on_errors=("signal",)), "exit", 1, True),
        (RetryPolicy(max_attempts=2, on_exit_codes=(1,), on_errors=("signal",)), "signal", 137, True),
        (RetryPolicy(max_attempts=2, on_exit_codes=(1,), on_errors=("signal",)), "worker", None, False),
        (RetryPolicy(max_attempts=2, on_exit_codes=(), on_errors=()), "exit", 1, False),
    ],
)
def test_the_policy_decides_which_failures_are_retried(
    policy: RetryPolicy, error: ErrorClass, exit_code: int | None, retried: bool
) -> None:
    job = _job(_BEGIN, _START, spec=JobSpec(message="hi", retry=policy))
    decided = _types(job, replace(_NO, body=replace(_FAILED, error=error, exit_code=exit_code)))
    assert decided == ["WorkerFailed", "RetryScheduled" if retried else "JobFailed"]


@pytest.mark.parametrize(
    ("before", "spec", "command", "retried"),
    [
        ((_BEGIN, _START), _RETRY.model_copy(update={"at_most_once": True}), _NO, False),
        ((_BEGIN,), _RETRY.model_copy(update={"at_most_once": True}), _seen("gone"), True),
        ((_BEGIN,), _RETRY.model_copy(update={"at_most_once": True}), _seen("exited", 1), False),
        ((_BEGIN, _seen("running")), _RETRY.model_copy(update={"at_most_once": True}), _seen("gone"), True),
        (
            (_BEGIN, _seen("running")),
            _IMAGE.model_copy(update={"at_most_once": True, "retry": RetryPolicy(max_attempts=3)}),
            _seen("gone"),
            False,
        ),
    ],
    ids=["claimed", "never seen", "exited unclaimed", "running unclaimed", "an image that ran"],
)
def test_a_job_that_runs_at_most_once_is_retried_only_if_its_work_cannot_have_begun(
    before: tuple[c.Command, ...], spec: JobSpec, command: c.Command, retried: bool
) -> None:
    assert _types(_job(*before, spec=spec), command)[-1] == ("RetryScheduled" if retried else "JobFailed")


@pytest.mark.parametrize(
    ("before", "spec", "seconds", "deadline"),
    [
        ((_BEGIN,), JobSpec(message="hi", start_timeout_s=60), 61, "start"),
        ((_BEGIN, _seen("running")), JobSpec(message="hi", start_timeout_s=60), 61, "start"),
        ((_BEGIN, _START), JobSpec(message="hi", start_timeout_s=60, run_timeout_s=600), 602, "run"),
        (
            (_BEGIN, _seen("running")),
            _IMAGE.model_copy(update={"start_timeout_s": 9.0, "run_timeout_s": 600.0}),
            602,
            "run",
        ),
    ],
    ids=["not seen", "seen but not claimed", "claimed", "an image that runs"],
)
def test_a_deadline_counts_from_its_own_beginning_to_the_second(
    before: tuple[c.Command, ...], spec: JobSpec, seconds: float, deadline: str
) -> None:
    job = _job(*before, spec=spec)
    at = T0 + timedelta(seconds=seconds)
    assert not decide(job, c.ExpireDeadline(), at - timedelta(microseconds=1)).events
    first, last = (event.body for event in decide(job, c.ExpireDeadline(), at).events)
    assert first == e.AttemptTimedOut(deadline=deadline)  # type: ignore[arg-type]
    assert last == e.JobTimedOut(deadline=deadline)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("refusal", "retry_after_s", "wait_s"),
    [
        ("wait", None, 60),
        ("relocate", None, RELOCATE_S),
        ("retry", None, 10),
        ("wait", 7.0, 7),
        ("retry", 99.0, 99),
    ],
)
def test_a_refusal_holds_the_job_for_the_platforms_delay_or_the_delay_of_its_kind(
    refusal: RefusalKind, retry_after_s: float | None, wait_s: float
) -> None:
    now = T0 + timedelta(seconds=30)
    held = decide(_job(_BEGIN), _refused(refusal, retry_after_s), now).events[-1].body
    assert held == e.JobHeld(reason="Code: no (ask again)", until=now + timedelta(seconds=wait_s))


def test_a_quota_that_stays_used_up_is_requested_less_and_less_often() -> None:
    job, now, waits = _job(), T0, []
    for attempt in range(1, 7):
        job = decide(job, _BEGIN, now).job
        job = decide(job, _refused("wait", attempt=attempt), now).job
        assert job.held_until is not None
        waits.append((job.held_until - now).total_seconds())
        now = job.held_until
        job = decide(job, c.ConfirmGone(attempt=attempt), now).job
    assert waits == [60, 120, 240, 480, 900, 900]
    job = decide(job, _BEGIN, now).job
    job = decide(job, _refused("relocate", attempt=7), now).job
    job = decide(job, c.ConfirmGone(attempt=7), now).job
    now += timedelta(seconds=60)
    job = decide(job, _BEGIN, now).job
    held = decide(job, _refused("wait", attempt=8), now).events[-1].body
    assert held == e.JobHeld(reason="Code: no (ask again)", until=now + timedelta(seconds=60)), (
        "the backoff starts over"
    )


def test_the_place_is_in_the_groups_name_and_the_limits_in_the_request() -> None:
    spec = JobSpec(command=("a",), image="busybox", cpu=2, memory_gb=4, start_timeout_s=60)
    (event,) = decide(_job(spec=spec), c.RequestContainer(place="westeurope"), T0).events
    assert event.body == e.ContainerRequested(
        group=f"{JOB_ID}-1-westeurope",
        place="westeurope",
        image="busybox",
        cpu=2,
        memory_gb=4,
        start_deadline=T0 + timedelta(seconds=60),
    )
    assert (event.attempt, event.source) == (1, "orchestrator")


def test_a_hold_for_the_same_reason_is_written_again_only_when_its_end_has_moved_by_a_minute() -> None:
    job = _job(_HOLD)
    assert _types(job, _HOLD) == []
    assert _types(job, replace(_HOLD, until=_HOLD.until + timedelta(seconds=59))) == []
    assert _types(job, replace(_HOLD, until=_HOLD.until + timedelta(seconds=60))) == ["JobHeld"]
    assert _types(job, replace(_HOLD, reason="another")) == ["JobHeld"]


def test_a_containers_output_and_samples_are_recorded_once() -> None:
    keep = c.RequestDelete(attempt=1, log_text="text", log_truncated=True, samples=((T0, 0.5, 1),))
    job = _job(_BEGIN, _START, _OK, keep)
    assert _types(job, keep) == ["ContainerDeleteRequested"]


def test_a_first_result_is_final() -> None:
    """I3."""
    job = _job(_BEGIN, _START, _OK, _NO, _CANCEL, _seen("exited", 1), c.ExpireDeadline())
    assert (job.state, job.result, job.failures) == ("succeeded", 3, 0)
