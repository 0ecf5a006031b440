"""Submitting: one stream for one key, and an orchestrator that is started or will be."""

from __future__ import annotations

import asyncio

import pytest

from mayfly.errors import Rejected
from mayfly.jobs import events as e
from mayfly.jobs.names import is_job_id
from mayfly.jobs.spec import JobSpec
from mayfly.use_cases.submit import Submission, submit
from tests.mayfly.composed import Composed

_SPEC = JobSpec(message="hi")


def _submit(composed: Composed, spec: JobSpec = _SPEC, key: str | None = None) -> Submission:
    return composed.runner.run(
        submit(composed.mayfly, composed.orchestrators, spec, source="http", idempotency_key=key)
    )


def test_a_submission_opens_a_stream_and_starts_its_orchestrator(composed: Composed) -> None:
    submission = _submit(composed)
    job_id = submission.job.job_id
    assert submission.created
    assert is_job_id(job_id)
    (event,) = composed.events(job_id)
    assert event.body == e.JobSubmitted(spec=_SPEC)
    assert composed.orchestrators.started == [job_id]


def test_two_submissions_without_a_key_are_two_jobs(composed: Composed) -> None:
    assert _submit(composed).job.job_id != _submit(composed).job.job_id


def test_a_name_begins_the_id(composed: Composed) -> None:
    assert _submit(composed, JobSpec(message="hi", name="resize-17")).job.job_id.startswith("resize-17-")


def test_the_same_key_is_the_same_job(composed: Composed) -> None:
    first, second = _submit(composed, key="order-17"), _submit(composed, JobSpec(message="hi", cpu=1), key="order-17")
    assert (first.created, second.created) == (True, False)
    assert first.job == second.job
    assert len(composed.whole_log()) == 1


def test_one_of_many_concurrent_submissions_with_one_key_opens_the_stream(composed: Composed) -> None:
    async def many() -> list[Submission]:
        return await asyncio.gather(
            *(
                submit(composed.mayfly, composed.orchestrators, _SPEC, source="http", idempotency_key="order-17")
                for _ in range(20)
            )
        )

    submissions = composed.runner.run(many())
    assert sum(submission.created for submission in submissions) == 1
    assert len({submission.job.job_id for submission in submissions}) == 1
    assert len(composed.whole_log()) == 1


def test_a_key_with_a_different_spec_is_rejected(composed: Composed) -> None:
    job_id = _submit(composed, key="order-17").job.job_id
    with pytest.raises(Rejected) as refused:
        _submit(composed, JobSpec(message="ho"), key="order-17")
    (error,) = refused.value.errors
    assert error.field == "header.Idempotency-Key"
    assert error.message == f"was used for {job_id} with a different spec: use a new key for a new job"
    assert len(composed.whole_log()) == 1


def test_a_key_with_a_different_name_is_rejected(composed: Composed) -> None:
    """A key alone makes the id: were the name a part of it, a second job would start without a word."""
    _submit(composed, JobSpec(message="hi", name="blue"), key="order-17")
    with pytest.raises(Rejected, match="with a different spec"):
        _submit(composed, JobSpec(message="hi", name="red"), key="order-17")
    assert len(composed.whole_log()) == 1


def test_the_same_key_starts_a_missing_orchestrator_until_the_job_has_moved(composed: Composed) -> None:
    job_id = _submit(composed, key="order-17").job.job_id
    _submit(composed, key="order-17")
    assert composed.orchestrators.started == [job_id, job_id]
    composed.begin(job_id)
    _submit(composed, key="order-17")
    assert composed.orchestrators.started == [job_id, job_id]


def test_an_unavailable_durable_host_fails_no_submission(composed: Composed, caplog: pytest.LogCaptureFixture) -> None:
    composed.orchestrators.silent = True
    job_id = _submit(composed).job.job_id
    assert composed.types(job_id) == ["JobSubmitted"]
    assert "the reconciler will" in caplog.text
