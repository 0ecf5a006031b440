"""A planned job finds each difference from its outcome."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drills.demo_jobs import DEMO_JOBS
from drills.planned_job import PlannedJob, demo_hash
from mayfly.jobs.job import Job
from tests.mayfly.cli.streams import folded, succeeded

_RIGHT = PlannedJob(document={"name": "sum"}, state="succeeded", result={"n": 1})


def test_the_right_outcome_has_no_faults() -> None:
    assert _RIGHT.faults(folded(succeeded())) == []


@pytest.mark.parametrize("wrong", [{"state": "failed"}, {"attempts": 2}, {"error": "exit"}, {"result": None}], ids=str)
def test_a_wrong_outcome_is_named_with_both_values(wrong: dict[str, object]) -> None:
    (fault,) = replace(_RIGHT, **wrong).faults(folded(succeeded()))  # type: ignore[arg-type]
    ((name, value),) = wrong.items()
    assert fault.startswith("ada-aaaaaaaaaa (sum): ")
    assert f"{name} is" in fault
    assert fault.endswith(f"not {value!r}")


def test_an_attempt_that_the_machine_refused_does_not_count() -> None:
    job = folded(succeeded())
    refused = replace(job.attempts[0], outcome="refused")
    assert _RIGHT.faults(replace(job, attempts=(refused, *job.attempts))) == []


def test_the_demo_finds_each_kind_of_wrong_outcome() -> None:
    job: Job = replace(folded(succeeded()), result=DEMO_JOBS[0].result)
    assert DEMO_JOBS[0].faults(job) == []
    assert all(wrong.faults(job) for wrong in DEMO_JOBS[1:])


def test_every_planned_job_has_a_key_of_its_own() -> None:
    assert len({job.idempotency_key for job in DEMO_JOBS}) == len(DEMO_JOBS)


def test_the_expected_hash_is_the_workers_chain() -> None:
    assert demo_hash("hello", 0.1) == "69a329523ce1ec88bf63061863d9cb14"
