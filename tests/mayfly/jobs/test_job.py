"""The state of a job: what follows from its attempts, and its stored form."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given

from mayfly.jobs import commands as c
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job, from_json, to_document, to_json
from mayfly.jobs.spec import JobSpec
from tests.mayfly.jobs.histories import History, histories
from tests.mayfly.jobs.lived import FAILED_THEN_SUCCEEDED, lived
from tests.mayfly.jobs.samples import CLAIM, T0, opening

_STARTING = lived(c.RequestContainer(place="local"))
_RUNNING = lived(c.RequestContainer(place="local"), c.ClaimAttempt(attempt=1, claim=CLAIM))


def _with_image() -> Job:
    job = fold([opening(spec=JobSpec(command=("true",), image="alpine:3", run_timeout_s=60))])
    assert job is not None
    return job


def test_attempts_are_numbered_from_one() -> None:
    first, second = FAILED_THEN_SUCCEEDED.attempts
    found = [FAILED_THEN_SUCCEEDED.attempt_numbered(number) for number in (-1, 0, 1, 2, 3)]
    assert found == [None, None, first, second, None]
    assert FAILED_THEN_SUCCEEDED.attempt == second
    assert _with_image().attempt is None


def test_the_run_deadline_is_set_by_the_claim() -> None:
    assert _STARTING.run_deadline(_STARTING.attempts[0]) is None
    assert _RUNNING.run_deadline(_RUNNING.attempts[0]) == T0 + timedelta(seconds=20 + _RUNNING.spec.run_timeout_s)


def test_an_image_without_a_worker_has_its_deadline_from_the_start_of_its_container() -> None:
    seen = c.ObserveContainer(attempt=1, seen="running")
    worker = lived(c.RequestContainer(place="local"), seen)
    assert worker.run_deadline(worker.attempts[0]) is None
    started_at = worker.attempts[0].started_at
    assert started_at is not None
    assert _with_image().run_deadline(worker.attempts[0]) == started_at + timedelta(seconds=60)


def test_a_job_is_settled_once_it_is_over_and_no_container_lingers() -> None:
    """I5."""
    canceled = lived(
        c.RequestContainer(place="local"),
        c.ClaimAttempt(attempt=1, claim=CLAIM),
        c.RequestCancel(source="http"),
    )
    assert (canceled.over, [one.number for one in canceled.lingering], canceled.settled) == (True, [1], False)
    assert (_RUNNING.over, _RUNNING.lingering, _RUNNING.settled) == (False, (), False)
    assert (FAILED_THEN_SUCCEEDED.lingering, FAILED_THEN_SUCCEEDED.settled) == ((), True)


@given(histories())
def test_a_stored_job_reads_back_equal(history: History) -> None:
    assert from_json(to_json(history.last)) == history.last


@pytest.mark.parametrize("job", [_STARTING, FAILED_THEN_SUCCEEDED])
def test_a_document_has_json_values_only(job: Job) -> None:
    document = to_document(job)
    assert document["submitted_at"] == "2026-01-31T12:00:00Z"
    assert [attempt["number"] for attempt in document["attempts"]] == [one.number for one in job.attempts]
