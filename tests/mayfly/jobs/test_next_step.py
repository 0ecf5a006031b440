"""The next step and its time follow from the job alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mayfly.jobs import events as e
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.jobs.next_step import AZURE_POLLS, LOCAL_POLLS, NextStep, PollPolicy, alive_until, next_step
from mayfly.jobs.spec import JobSpec
from tests.mayfly.jobs.samples import CLAIM, T0, event, opening

_REQUESTED = e.ContainerRequested(
    group="g", place="local", image=None, cpu=1, memory_gb=1, start_deadline=T0 + timedelta(seconds=1_800)
)
_EVENTS = ("attempt-1-ended", "cancel-requested")


def _after(*bodies: e.Body, spec: JobSpec | None = None) -> Job:
    events = [event(body, position, attempt=1) for position, body in enumerate(bodies, 2)]
    job = fold([opening(spec=spec), *events])
    assert job is not None
    return job


def _wait_s(job: Job, after_s: float, polls: PollPolicy) -> float:
    now = T0 + timedelta(seconds=after_s)
    at = next_step(job, now, polls).due_at
    assert at is not None
    return (at - now).total_seconds()


def test_a_held_job_waits_until_its_time_or_a_cancel() -> None:
    job = _after(e.JobHeld(reason="full", until=T0 + timedelta(seconds=7)))
    assert next_step(job, T0, LOCAL_POLLS) == NextStep(
        activity="begin_attempt", due_at=T0 + timedelta(seconds=7), wake_events=("cancel-requested",)
    )
    assert next_step(job, T0 + timedelta(seconds=7), LOCAL_POLLS).due_at is None


@pytest.mark.parametrize("polls", [LOCAL_POLLS, AZURE_POLLS], ids=["local", "azure"])
def test_polls_come_less_and_less_often_up_to_the_longest_wait(polls: PollPolicy) -> None:
    job = _after(_REQUESTED)
    waits = [_wait_s(job, age, polls) for age in (0, 1, 10, 60, 300, 1_000)]
    assert waits == sorted(waits)
    assert polls.claim_grace_s <= waits[0] <= polls.claim_grace_s * (1 + polls.jitter)
    assert waits[-1] == polls.poll_max_s
    assert next_step(job, T0, polls).wake_events == _EVENTS


def test_a_platform_that_did_not_answer_is_polled_again_soon() -> None:
    at = next_step(_after(_REQUESTED), T0, AZURE_POLLS, unsure=True).due_at
    assert at is not None
    assert timedelta(seconds=15) <= at - T0 <= timedelta(seconds=18)


def test_an_image_that_may_not_contain_a_worker_is_polled_soon_because_no_claim_may_come() -> None:
    job = _after(_REQUESTED, spec=JobSpec(image="busybox", command=("true",)))
    assert 15 <= _wait_s(job, 0, AZURE_POLLS) <= 18


def test_a_worker_is_presumed_alive_until_its_heartbeats_stop() -> None:
    claimed = (_REQUESTED, e.WorkerStarted(claim=CLAIM, run_deadline=T0 + timedelta(hours=9)))
    job = _after(*claimed)
    assert alive_until(job, LOCAL_POLLS) is None, "local polls are free"
    silent_at = alive_until(job, AZURE_POLLS)
    assert silent_at is not None
    assert AZURE_POLLS.heartbeat_timeout_s is not None
    assert _wait_s(job, 10, AZURE_POLLS) == (silent_at - T0).total_seconds() - 10
    progressed = e.WorkerProgressed(sequence=1, fraction=None, message="")
    progressed_job = fold([event(progressed, 4, attempt=1, after_s=60)], job)
    assert progressed_job is not None
    assert alive_until(progressed_job, AZURE_POLLS) == T0 + timedelta(seconds=60 + AZURE_POLLS.heartbeat_timeout_s)
    assert _wait_s(job, 1_000, AZURE_POLLS) == 300, "a silent worker is polled like any other"


def test_no_poll_comes_later_than_the_deadline() -> None:
    job = _after(_REQUESTED)
    assert _wait_s(job, 1_799, AZURE_POLLS) == 1
    assert _wait_s(job, 1_900, AZURE_POLLS) == 0
    claimed = _after(_REQUESTED, e.WorkerStarted(claim=CLAIM, run_deadline=T0 + timedelta(seconds=3)))
    assert _wait_s(claimed, 0, AZURE_POLLS) == 3


def test_the_wait_for_a_claim_does_not_overrun_a_short_run_deadline() -> None:
    spec = JobSpec(message="hi", run_timeout_s=3)
    assert _wait_s(_after(_REQUESTED, spec=spec), 0, LOCAL_POLLS) == 3
    claimed = e.WorkerStarted(claim=CLAIM, run_deadline=T0 + timedelta(seconds=3.2))
    assert _wait_s(_after(_REQUESTED, claimed, spec=spec), 3, LOCAL_POLLS) == pytest.approx(0.2)
    # If polls cost requests, the deadline may be noticed later, by up to the shortest wait for a poll.
    wait_s = _wait_s(_after(_REQUESTED, spec=spec), 0, AZURE_POLLS)
    assert AZURE_POLLS.first_poll_s <= wait_s <= AZURE_POLLS.first_poll_s * (1 + AZURE_POLLS.jitter)


def test_the_container_of_a_job_that_is_over_is_deleted_at_once_and_then_polled() -> None:
    over = (_REQUESTED, e.JobCanceled())
    assert next_step(_after(*over), T0, LOCAL_POLLS) == NextStep(activity="end_attempt")
    deleting = _after(*over, e.ContainerDeleteRequested(group="g"))
    step = next_step(deleting, T0, LOCAL_POLLS)
    assert step.activity == "end_attempt"
    assert _wait_s(deleting, 0, LOCAL_POLLS) == LOCAL_POLLS.delete_poll_first_s
    assert _wait_s(deleting, 10_000, LOCAL_POLLS) == LOCAL_POLLS.poll_max_s
    gone = _after(*over, e.ContainerDeleteRequested(group="g"), e.ContainerGone(group="g"))
    assert next_step(gone, T0, LOCAL_POLLS).activity == "done"
