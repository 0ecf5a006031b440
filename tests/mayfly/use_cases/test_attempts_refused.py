"""Attempts whose container is refused: the job is held, retried or failed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from mayfly.admission.admission import Held
from mayfly.jobs.refusal import RefusalKind
from mayfly.jobs.spec import JobSpec, RetryPolicy
from tests.mayfly.composed import Composed, compose
from tests.mayfly.jobs.samples import T0
from tests.mayfly.scripted_runtime import refused


@pytest.mark.parametrize("refusal", ["wait", "relocate", "retry"])
def test_a_temporary_refusal_holds_the_job_with_the_reason(composed: Composed, refusal: RefusalKind) -> None:
    """I9."""
    composed.runtime.refusal = refused(refusal)
    job_id = composed.submit()
    step = composed.begin(job_id)
    job = composed.job(job_id)
    assert job.state == "queued"
    assert job.held_reason == "Refused: not today (ask again)"
    assert step.activity == "end_attempt", "first it is made sure that nothing is left of the refused group"
    step = composed.end(job_id)
    assert step.activity == "begin_attempt"
    assert job.held_until is not None
    assert step.due_at == job.held_until
    composed.runtime.refusal = None
    composed.clock.advance((job.held_until - T0).total_seconds())
    if refusal == "relocate":
        assert composed.begin(job_id).activity == "begin_attempt", "the only place that there is has just refused it"
        composed.clock.advance(60)
    assert composed.begin(job_id).activity == "observe_attempt"
    assert composed.runtime.requests[-1].group == f"{job_id}-2-local"
    assert composed.job(job_id).failures == 0


def test_the_retry_time_of_the_platform_is_kept(composed: Composed) -> None:
    composed.runtime.refusal = refused("wait", retry_after_s=7)
    job_id = composed.submit()
    composed.begin(job_id)
    assert composed.job(job_id).held_until == T0 + timedelta(seconds=7)


def test_a_permanent_refusal_fails_the_job_with_code_message_and_hint(composed: Composed) -> None:
    composed.runtime.refusal = refused("permanent")
    job_id = composed.submit(JobSpec(message="hi", retry=RetryPolicy(max_attempts=5)))
    composed.begin(job_id)
    composed.end(job_id)
    job = composed.job(job_id)
    assert (job.state, job.error, job.settled) == ("failed", "container_refused", True)
    assert job.message == "Refused: not today (ask again)"
    assert composed.runtime.deletes == []


def test_six_retry_refusals_in_a_row_fail_the_job(composed: Composed) -> None:
    composed.runtime.refusal = refused("retry")
    job_id = composed.submit()
    for _ in range(6):
        assert composed.job(job_id).state == "queued"
        composed.begin(job_id)
        composed.end(job_id)
        composed.clock.advance(300)
    assert composed.job(job_id).state == "failed"
    assert len(composed.runtime.requests) == 6


def test_a_missing_secret_fails_the_job_with_its_name_and_the_fix(composed: Composed) -> None:
    job_id = composed.submit(JobSpec(message="hi", secrets={"DB": "db-password"}))
    composed.begin(job_id)
    composed.end(job_id)
    job = composed.job(job_id)
    assert (job.state, job.settled) == ("failed", True)
    assert "there is no secret 'db-password': add db-password" in (job.message or "")
    assert composed.runtime.requests == [], "nothing was created without it"


def test_a_refused_job_frees_its_place_for_the_next(runner: asyncio.Runner) -> None:
    composed = compose(runner, groups_max=1)
    composed.runtime.refusal = refused("wait", retry_after_s=600)
    first, second = composed.submit(), composed.submit()
    composed.begin(first)
    composed.end(first)
    composed.runtime.refusal = None
    assert composed.begin(second).activity == "observe_attempt"
    waiting = composed.runner.run(composed.mayfly.admission.admit(composed.job(first), now=composed.clock.now()))
    assert isinstance(waiting, Held)
    composed.close()
