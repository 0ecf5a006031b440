"""Properties that hold for every history of a job, whatever the commands, their order and their number."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given

from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.jobs.decide import decide
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job, from_json, to_json
from mayfly.jobs.lifecycle import TERMINAL, next_state
from mayfly.jobs.next_step import AZURE_POLLS, LOCAL_POLLS, PollPolicy, next_step
from mayfly.jobs.spec import JobSpec, RetryPolicy
from tests.mayfly.jobs.histories import History, histories, live
from tests.sampling import examples

_settings = examples(100)

_REPEATABLE = (c.RequestDelete,)
"""A delete may have to be repeated, and the log records each request."""


@given(histories())
@_settings
def test_positions_are_gapless_and_times_never_run_back(history: History) -> None:
    events = history.events
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert history.last.position == len(events)


@given(histories())
@_settings
def test_every_event_is_allowed_in_its_state(history: History) -> None:
    job = fold([history.opening])
    for event in history.events[1:]:
        assert job is not None
        wanted = next_state(job.state, event.type)
        job = fold([event], job)
        assert job is not None
        assert job.state == wanted


@given(histories())
@_settings
def test_after_an_end_nothing_changes_the_outcome(history: History) -> None:
    """I3."""
    ended = [job for job in history.jobs if job.over]
    outcomes = {(job.state, repr(job.result), job.error, job.message, job.ended_at, job.failures) for job in ended}
    assert len(outcomes) <= 1
    assert sum(
        event.type in ("JobSucceeded", "JobFailed", "JobTimedOut", "JobCanceled") for event in history.events
    ) == (1 if ended else 0)


@given(histories())
@_settings
def test_the_same_command_again_decides_nothing_or_the_documented_repeat(history: History) -> None:
    """I7."""
    for step in history.steps:
        again = decide(step.after, step.command, step.now).events
        if isinstance(step.command, _REPEATABLE):
            assert [event.type for event in again] in ([], ["ContainerDeleteRequested"])
        elif step.events:
            assert not again


@given(histories())
@_settings
def test_an_attempt_is_claimed_once_and_only_its_holder_can_report(history: History) -> None:
    """I4."""
    claims: dict[int, str] = {}
    for event in history.events:
        if isinstance(event.body, e.WorkerStarted):
            assert event.attempt not in claims
            claims[event.attempt] = event.body.claim
        elif isinstance(event.body, e.WorkerProgressed | e.WorkerSucceeded | e.WorkerFailed):
            assert event.attempt in claims
    for step in history.steps:
        heard = [
            event for event in step.events if event.type in ("WorkerProgressed", "WorkerSucceeded", "WorkerFailed")
        ]
        if heard:
            assert isinstance(step.command, c.ReportWork)
            assert step.command.claim == claims[step.command.attempt]
            assert heard[0].attempt == step.command.attempt


@given(histories())
@_settings
def test_no_container_is_requested_while_another_may_still_be_there(history: History) -> None:
    """I4, I5."""
    for step in history.steps:
        if any(isinstance(event.body, e.ContainerRequested) for event in step.events):
            assert all(attempt.container == "gone" for attempt in step.before.attempts)
            assert all(attempt.outcome is not None for attempt in step.before.attempts)
            assert (step.before.retry_at or step.now) <= step.now
            assert (step.before.held_until or step.now) <= step.now


@given(histories())
@_settings
def test_failed_attempts_stay_within_the_policy(history: History) -> None:
    job = history.last
    at_work = [attempt for attempt in job.attempts if attempt.outcome in ("failed", "timed_out")]
    assert job.failures == len(at_work)
    assert job.failures <= job.spec.retry.max_attempts
    assert Counter(event.type for event in history.events)["RetryScheduled"] < job.spec.retry.max_attempts


@given(histories())
@_settings
def test_a_job_that_runs_at_most_once_has_no_attempt_after_a_claim(history: History) -> None:
    job = history.last
    if job.spec.at_most_once:
        assert all(attempt.claim is None for attempt in job.attempts[:-1])


@given(histories())
@_settings
def test_every_retry_is_allowed_by_the_policy(history: History) -> None:
    policy = history.last.spec.retry
    for step in history.steps:
        if any(isinstance(event.body, e.RetryScheduled) for event in step.events):
            attempt = step.after.attempt
            assert attempt is not None
            if policy.on_exit_codes is not None or policy.on_errors is not None:
                assert attempt.exit_code in (policy.on_exit_codes or ()) or attempt.error in (policy.on_errors or ())


@given(histories())
@_settings
def test_an_ignored_report_is_written_once_for_each_attempt_kind_and_reason(history: History) -> None:
    ignored = [
        (event.attempt, event.body.report, event.body.reason)
        for event in history.events
        if isinstance(event.body, e.ReportIgnored)
    ]
    assert len(ignored) == len(set(ignored))


@given(histories())
@_settings
def test_only_an_image_job_is_judged_by_its_exit_code(history: History) -> None:
    for event in history.events:
        attempt = history.last.attempt_numbered(event.attempt)
        if isinstance(event.body, e.ContainerExited) and attempt is not None and not attempt.reported:
            fine = history.last.spec.image is not None and event.body.exit_code == 0
            assert (attempt.outcome == "succeeded") == fine


@given(histories())
@_settings
def test_a_job_is_settled_only_when_every_container_is_confirmed_gone(history: History) -> None:
    """I5."""
    for job in history.jobs:
        if job.settled:
            assert job.state in TERMINAL
            assert all(attempt.container == "gone" for attempt in job.attempts)


@given(histories())
@_settings
def test_a_job_as_json_is_the_fold_of_its_stream(history: History) -> None:
    """I10, for the stored form."""
    folded = fold(e.from_document(e.to_document(event)) for event in history.events)
    assert folded == history.last
    assert from_json(to_json(history.last)) == history.last


@given(histories())
@_settings
def test_an_outcome_has_its_time_and_a_failure_its_reason(history: History) -> None:
    job = history.last
    assert (job.ended_at is not None) == job.over
    if job.state in ("failed", "timed_out"):
        assert job.error is not None
        assert job.message
    for attempt in job.attempts:
        assert (attempt.ended_at is not None) == (attempt.outcome is not None)
        if attempt.outcome in ("failed", "timed_out", "refused"):
            assert attempt.error is not None
            assert attempt.message


@pytest.mark.parametrize("polls", [LOCAL_POLLS, AZURE_POLLS], ids=["local", "azure"])
@given(history=histories())
@_settings
def test_every_wait_has_an_end(history: History, polls: PollPolicy) -> None:
    """I6: whatever the state, the next step is due within the longest wait between polls or at a time in the log."""
    now = history.steps[-1].now if history.steps else history.opening.at
    job = history.last
    step = next_step(job, now, polls)
    if step.activity == "done":
        assert job.settled
        return
    assert not job.settled
    if step.due_at is None:
        return
    at = step.due_at
    named = [time for time in (job.retry_at, job.held_until) if time is not None]
    assert now <= at <= max([now + timedelta(seconds=polls.poll_max_s), *named])
    if step.activity == "observe_attempt":
        attempt = job.attempt
        assert attempt is not None
        deadline = job.run_deadline(attempt) or attempt.start_deadline
        assert at <= max(now, deadline)


@given(histories())
@_settings
def test_every_job_ends_with_nothing_but_a_clock_and_a_platform_without_containers(history: History) -> None:
    """I6: no worker or person sends anything anymore, and the platform always answers 404."""
    now = history.steps[-1].now if history.steps else history.opening.at
    job = history.last
    for _ in range(200):
        step = next_step(job, now, AZURE_POLLS)
        if step.activity == "done":
            break
        if step.due_at is not None:
            now = max(now, step.due_at)
        for command in _as_activity(step.activity, job):
            job = decide(job, command, now).job
    assert job.settled


def _as_activity(name: str, job: Job) -> list[c.Command]:
    """Return the commands of each activity if the platform always answers 404."""
    number = len(job.attempts)
    if name == "begin_attempt":
        return [c.RequestContainer(place="local")]
    if name == "observe_attempt":
        return [c.ExpireDeadline()]
    ends: list[c.Command] = [c.RequestDelete(attempt=attempt.number, log_text=None) for attempt in job.lingering]
    return [*ends, *(c.ConfirmGone(attempt=n) for n in range(1, number + 1))]


def test_the_generated_histories_reach_every_kind_of_event() -> None:
    """Without this, the properties above might only cover jobs that never start."""
    chance = random.Random(1)
    specs = [
        JobSpec(message="hi", start_timeout_s=60, run_timeout_s=60, retry=RetryPolicy(max_attempts=attempts))
        for attempts in (1, 3)
    ]
    lives = (live(specs[number % 2], [chance.randrange(2**32) for _ in range(40)]) for number in range(500))
    assert {event.type for life in lives for event in life.events} == set(e.KINDS)
