"""Begin, observe and end an attempt: each once, twice and late, and with containers that fail or vanish."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import jwt
import pytest

from mayfly.containers.runtime import MetricSample
from mayfly.errors import NotFound
from mayfly.jobs import events as e
from mayfly.jobs.commands import NoteFound
from mayfly.jobs.next_step import AZURE_POLLS, NextStep
from mayfly.jobs.spec import JobSpec, RetryPolicy
from mayfly.use_cases.attempts import begin_attempt
from mayfly.use_cases.cancel import cancel
from tests.mayfly.composed import REPORT_KEY, STARTED, SUCCEEDED, Composed, compose
from tests.mayfly.jobs.samples import T0

_BEGUN = ["JobSubmitted", "ContainerRequested"]
_CLEANED = ["LogsCaptured", "ContainerDeleteRequested", "ContainerGone"]


def test_a_job_without_trouble_costs_one_create_one_delete_and_eight_events(composed: Composed) -> None:
    job_id = composed.submit()
    assert composed.begin(job_id).activity == "observe_attempt"
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    assert composed.end(job_id) == NextStep(activity="done")
    assert composed.types(job_id) == [*_BEGUN, "WorkerStarted", "WorkerSucceeded", "JobSucceeded", *_CLEANED]
    assert len(composed.runtime.requests) == 1
    assert composed.runtime.deletes == [f"{job_id}-1-local"]


def test_the_container_is_requested_with_everything_that_the_worker_contract_names(composed: Composed) -> None:
    composed.secrets.values["db-password"] = "canary"
    spec = JobSpec(
        message="resize 17", command=("a", "b"), env={"SIZE": "big"}, secrets={"DB": "db-password"}, cpu=2, memory_gb=4
    )
    job_id = composed.submit(spec)
    composed.begin(job_id)
    (request,) = composed.runtime.requests
    assert (request.group, request.place, request.attempt) == (f"{job_id}-1-local", "local", 1)
    assert list(request.command) == ["a", "b"]
    assert (request.cpu, request.memory_gb, request.image) == (2, 4, None)
    assert request.env == {
        "SIZE": "big",
        "MESSAGE": "resize 17",
        "CONTAINER_NAME": f"{job_id}-1-local",
        "MAYFLY_JOB_ID": job_id,
        "MAYFLY_ATTEMPT": "1",
        "MAYFLY_REPORT_URL": f"http://mayfly.test/api/jobs/{job_id}/reports",
        "MAYFLY_SECRET_NAMES": "DB",
    }
    assert set(request.secure_env) == {"DB", "MAYFLY_REPORT_TOKEN"}
    assert request.secure_env["DB"] == "canary"
    assert (request.job_id, request.attempt) == (job_id, 1)


def test_heartbeats_are_requested_under_the_current_name_and_the_one_that_older_images_read(composed: Composed) -> None:
    composed.mayfly = replace(composed.mayfly, polls=AZURE_POLLS)
    composed.begin(composed.submit())
    (request,) = composed.runtime.requests
    assert (request.env["MAYFLY_HEARTBEAT_SECONDS"], request.env["MAYFLY_ALIVE_SECONDS"]) == ("60", "60")


def test_the_token_outlives_both_deadlines_by_an_hour(composed: Composed) -> None:
    job_id = composed.submit(JobSpec(message="hi", start_timeout_s=60, run_timeout_s=600))
    composed.begin(job_id)
    token = composed.runtime.requests[0].secure_env["MAYFLY_REPORT_TOKEN"]
    claims = jwt.decode(token, REPORT_KEY, ["HS256"], audience="mayfly-report", options={"verify_exp": False})
    assert (claims["sub"], claims["att"]) == (job_id, 1)
    assert claims["exp"] == (T0 + timedelta(seconds=60 + 600 + 3_600)).timestamp()


def test_begin_twice_requests_once_and_creates_the_same_group_again(composed: Composed) -> None:
    """I7: between the two calls it is unknown whether the first create was sent."""
    job_id = composed.submit()
    first, second = composed.begin(job_id), composed.begin(job_id)
    assert first == second
    assert composed.types(job_id) == _BEGUN
    assert {request.group for request in composed.runtime.requests} == {f"{job_id}-1-local"}


def test_begin_after_the_container_was_observed_creates_nothing(composed: Composed) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.runtime.move(f"{job_id}-1-local", "running")
    composed.observe(job_id)
    composed.begin(job_id)
    assert len(composed.runtime.requests) == 1


def test_two_concurrent_begins_request_one_container(composed: Composed) -> None:
    job_id = composed.submit()

    async def both() -> None:
        await asyncio.gather(begin_attempt(composed.mayfly, job_id), begin_attempt(composed.mayfly, job_id))

    composed.runner.run(both())
    assert composed.types(job_id) == _BEGUN


@pytest.mark.parametrize("late", ["begin", "observe", "end"])
def test_every_activity_after_the_end_changes_nothing(composed: Composed, late: str) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    composed.end(job_id)
    before = composed.events(job_id)
    for _ in range(2):
        assert getattr(composed, late)(job_id).activity == "done"
    assert composed.events(job_id) == before
    assert len(composed.runtime.requests) == 1


@pytest.mark.parametrize("early", ["observe", "end"])
def test_observe_and_end_before_the_beginning_return_begin(composed: Composed, early: str) -> None:
    job_id = composed.submit()
    assert getattr(composed, early)(job_id) == NextStep(activity="begin_attempt")
    assert composed.types(job_id) == ["JobSubmitted"]


@pytest.mark.parametrize("activity", ["begin", "observe", "end"])
def test_an_activity_of_an_unknown_job_ends_the_orchestrator(composed: Composed, activity: str) -> None:
    with pytest.raises(NotFound):
        getattr(composed, activity)("ada-abcdefghij")


def test_a_canceled_job_gets_no_container(composed: Composed) -> None:
    job_id = composed.submit()
    composed.runner.run(cancel(composed.mayfly, composed.orchestrators, job_id, source="cli", reason=None))
    assert composed.begin(job_id).activity == "done"
    assert composed.runtime.requests == []


def test_a_lost_create_is_repeated_by_the_next_poll(composed: Composed) -> None:
    composed.runtime.loses_creates = True
    job_id = composed.submit()
    composed.begin(job_id)
    composed.runtime.loses_creates = False
    assert composed.observe(job_id).activity == "observe_attempt"
    assert len(composed.runtime.requests) == 2
    assert composed.types(job_id) == _BEGUN


# Traces


def test_output_and_samples_are_kept_once_before_the_delete(composed: Composed) -> None:
    job_id = composed.submit()
    group = f"{job_id}-1-local"
    composed.begin(job_id)
    composed.runtime.texts[group] = "é" * 70_000
    composed.runtime.samples[group] = [MetricSample(at=T0, cpu_cores=0.5, memory_bytes=1_000)]
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    composed.runtime.deletes_slowly = True
    composed.end(job_id)
    composed.clock.advance(31)
    composed.end(job_id)
    bodies = [event.body for event in composed.events(job_id)]
    assert [body for body in bodies if isinstance(body, e.LogsCaptured)] == [
        e.LogsCaptured(text="é" * 65_536, truncated=True)
    ]
    assert [body for body in bodies if isinstance(body, e.MetricsSampled)] == [
        e.MetricsSampled(samples=((T0, 0.5, 1_000),))
    ]
    assert sum(isinstance(body, e.ContainerDeleteRequested) for body in bodies) == 2


def test_the_outcome_is_known_before_the_container_is_gone(composed: Composed) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    composed.runtime.deletes_slowly = True
    step = composed.end(job_id)
    job = composed.job(job_id)
    assert (job.state, job.settled, job.attempts[0].container) == ("succeeded", False, "deleting")
    assert step.activity == "end_attempt"
    composed.runtime.lose(f"{job_id}-1-local")
    assert composed.end(job_id).activity == "done"


# Failures and what follows


def test_a_container_that_ends_without_a_report_is_retried_in_a_new_group(composed: Composed) -> None:
    job_id = composed.submit(JobSpec(message="hi", retry=RetryPolicy(max_attempts=2, backoff_s=10)))
    composed.begin(job_id)
    composed.runtime.move(f"{job_id}-1-local", "exited", exit_code=0)
    assert composed.observe(job_id).activity == "end_attempt"
    job = composed.job(job_id)
    assert (job.state, job.attempts[0].error) == ("queued", "container_lost")
    assert composed.begin(job_id).activity == "end_attempt", "not beside the first container"
    step = composed.end(job_id)
    assert step == NextStep(
        activity="begin_attempt", due_at=T0 + timedelta(seconds=10), wake_events=("cancel-requested",)
    )
    assert composed.begin(job_id) == step, "not before its time"
    composed.clock.advance(10)
    composed.begin(job_id)
    assert [request.group for request in composed.runtime.requests] == [f"{job_id}-1-local", f"{job_id}-2-local"]
    composed.runtime.move(f"{job_id}-2-local", "exited", exit_code=137, detail="killed")
    composed.observe(job_id)
    job = composed.job(job_id)
    assert (job.state, job.error) == ("failed", "container_lost")
    assert "exit code 137" in (job.message or "")
    assert "killed" in (job.message or "")


def test_a_container_that_vanishes_after_it_was_observed_fails_the_attempt(composed: Composed) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.runtime.move(f"{job_id}-1-local", "running")
    composed.observe(job_id)
    composed.runtime.lose(f"{job_id}-1-local")
    assert composed.observe(job_id).activity == "done"
    assert (composed.job(job_id).state, composed.job(job_id).error) == ("failed", "container_lost")


@pytest.mark.parametrize(("claim", "deadline"), [(False, "start"), (True, "run")])
def test_a_deadline_that_passes_ends_the_job_and_deletes_the_container(
    composed: Composed, claim: bool, deadline: str
) -> None:
    job_id = composed.submit(JobSpec(message="hi", start_timeout_s=60, run_timeout_s=60))
    composed.begin(job_id)
    if claim:
        composed.report(job_id, STARTED)
    composed.runtime.move(f"{job_id}-1-local", "running")
    composed.clock.advance(59.9)
    composed.observe(job_id)
    assert not composed.job(job_id).over
    composed.clock.advance(0.1)
    composed.observe(job_id)
    composed.end(job_id)
    job = composed.job(job_id)
    assert (job.state, job.error, job.settled) == ("timed_out", f"{deadline}_timeout", True)
    assert composed.runtime.statuses == {}


def test_an_image_job_is_done_when_its_container_ends_with_zero(composed: Composed) -> None:
    job_id = composed.submit(JobSpec(command=("true",), image="busybox"))
    composed.begin(job_id)
    composed.runtime.move(f"{job_id}-1-local", "running")
    composed.observe(job_id)
    composed.runtime.move(f"{job_id}-1-local", "exited", exit_code=0)
    composed.observe(job_id)
    composed.end(job_id)
    assert (composed.job(job_id).state, composed.job(job_id).settled) == ("succeeded", True)


def test_a_container_found_again_does_not_hide_the_deadlines_of_the_next_attempt(composed: Composed) -> None:
    """I6: a leaked container that will not go must not keep a later attempt running forever."""
    job_id = composed.submit(JobSpec(message="hi", start_timeout_s=60, retry=RetryPolicy(max_attempts=2, backoff_s=0)))
    composed.begin(job_id)
    composed.runtime.move(f"{job_id}-1-local", "exited", exit_code=1)
    composed.observe(job_id)
    composed.end(job_id)
    composed.begin(job_id)
    composed.runtime.add(f"{job_id}-1-local", job_id=job_id, attempt=1)
    composed.runtime.deletes_slowly = True
    composed.runner.run(composed.mayfly.streams.carry_out(NoteFound(attempt=1), composed.job(job_id)))
    step = composed.end(job_id)
    for _ in range(20):
        assert step.due_at is not None
        composed.clock.advance(max(0, (step.due_at - composed.clock.now()).total_seconds()))
        step = getattr(composed, step.activity.removesuffix("_attempt"))(job_id)
        if composed.job(job_id).over:
            break
    assert composed.job(job_id).state == "timed_out"
    assert composed.clock.now() < T0 + timedelta(seconds=120)


# Places


def test_a_job_without_a_place_is_held_and_begins_when_one_is_free(runner: asyncio.Runner) -> None:
    composed = compose(runner, groups_max=1)
    first, second = composed.submit(), composed.submit()
    composed.begin(first)
    step = composed.begin(second)
    assert step.activity == "begin_attempt"
    held = composed.events(second)[-1].body
    assert isinstance(held, e.JobHeld)
    assert "1 of 1 container groups are in use in local" in held.reason
    assert step.due_at == held.until
    composed.report(first, STARTED)
    composed.report(first, SUCCEEDED)
    composed.end(first)
    composed.clock.advance((held.until - T0).total_seconds())
    assert composed.begin(second).activity == "observe_attempt"
    composed.close()


def test_a_held_job_keeps_its_queue_entry(runner: asyncio.Runner) -> None:
    composed = compose(runner, groups_max=1)
    first, second, third = composed.submit(), composed.submit(), composed.submit()
    for job_id in (first, second, third):
        composed.begin(job_id)
    composed.report(first, STARTED)
    composed.report(first, SUCCEEDED)
    composed.end(first)
    composed.begin(second)  # an activity that came twice
    composed.clock.advance(1.5)
    assert composed.begin(third).activity == "begin_attempt", "the place that is free is the second's, who asks later"
    assert composed.begin(second).activity == "observe_attempt"
    composed.close()
