"""Phases: whatever happens to a job, all of its time is accounted for."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import given

from mayfly.jobs import commands as c
from mayfly.jobs.phases import PHASES, attempt_phases, phases
from tests.mayfly.jobs.histories import History, histories
from tests.mayfly.jobs.lived import FAILED_THEN_SUCCEEDED, lived
from tests.mayfly.jobs.samples import CLAIM, T0


def test_a_job_that_needs_two_attempts_has_each_phase_twice() -> None:
    found = [(p.attempt, p.name, p.seconds(T0)) for p in phases(FAILED_THEN_SUCCEEDED)]
    assert found == [
        (1, "queued", 10),
        (1, "starting", 10),
        (1, "running", 10),
        (1, "reporting", 10),
        (1, "deleting", 10),
        (2, "queued", 30),
        (2, "starting", 10),
        (2, "running", 10),
        (2, "reporting", 10),
        (2, "deleting", 10),
    ]


@pytest.mark.parametrize(("pulling_s", "expected_s"), [(14, (4, 6)), (3, (0, 10)), (99, (10, 0))])
def test_pulling_is_the_end_of_starting_whatever_the_platforms_clock_says(
    pulling_s: float, expected_s: tuple[float, float]
) -> None:
    seen = c.ObserveContainer(attempt=1, seen="running", pulling_at=T0 + timedelta(seconds=pulling_s))
    found = {p.name: p.seconds(T0) for p in phases(lived(c.RequestContainer(place="local"), seen))}
    assert (found["starting"], found["pulling"]) == expected_s
    assert list(found) == ["queued", "starting", "pulling", "running"]


def test_the_last_phase_of_a_running_job_continues() -> None:
    job = lived(c.RequestContainer(place="local"), c.ClaimAttempt(attempt=1, claim=CLAIM))
    assert phases(job)[-1].ended_at is None
    assert phases(job)[-1].seconds(T0 + timedelta(seconds=100)) == pytest.approx(80)


@given(histories())
def test_phases_of_an_attempt_follow_each_other_without_a_gap(history: History) -> None:
    for job in history.jobs:
        for attempt in job.attempts:
            found = attempt_phases(attempt)
            assert found[0].begun_at == attempt.requested_at
            assert all(one.ended_at == other.begun_at for one, other in itertools.pairwise(found))
            assert [p.name for p in found] == sorted((p.name for p in found), key=PHASES.index)
            assert found[-1].ended_at == attempt.gone_at


@given(histories())
def test_a_job_is_in_a_phase_until_it_is_settled(history: History) -> None:
    for job in history.jobs:
        continues = any(phase.ended_at is None for phase in phases(job))
        assert continues or job.settled
        if job.settled:
            assert not continues
