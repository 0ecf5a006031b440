"""The cost of a job: all container seconds, split into useful and wasted ones."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given

from mayfly.jobs import commands as c
from mayfly.jobs.costs import cost
from mayfly.jobs.refusal import Refusal
from tests.mayfly.jobs.histories import History, histories
from tests.mayfly.jobs.lived import FAILED_THEN_SUCCEEDED, lived
from tests.mayfly.jobs.samples import CLAIM, T0


def test_waste_is_the_failed_attempt_and_the_time_between_outcome_and_gone() -> None:
    spent = cost(FAILED_THEN_SUCCEEDED, T0 + timedelta(days=1))
    assert (spent.useful_s, spent.failed_s, spent.idle_s) == (20, 20, 40)
    assert (spent.total_s, spent.waste_s) == (80, 60)


def test_a_running_job_costs_more_from_second_to_second_and_none_of_it_is_waste() -> None:
    job = lived(c.RequestContainer(place="local"), c.ClaimAttempt(attempt=1, claim=CLAIM))
    spent = [cost(job, T0 + timedelta(seconds=seconds)) for seconds in (100, 101)]
    assert [(one.useful_s, one.waste_s) for one in spent] == [(90, 0), (91, 0)]


def test_a_refused_container_costs_nothing() -> None:
    refusal = c.RefuseContainer(attempt=1, refusal=Refusal(kind="permanent", code="No", message="no", hint="ask"))
    assert cost(lived(c.RequestContainer(place="local"), refusal), T0 + timedelta(days=1)).total_s == 0


@given(histories())
def test_no_cost_is_negative_and_none_is_after_the_container_is_gone(history: History) -> None:
    job = history.last
    now = history.steps[-1].now if history.steps else T0
    spent, later = cost(job, now), cost(job, now + timedelta(hours=1))
    assert min(spent.useful_s, spent.failed_s, spent.idle_s) >= 0
    if job.settled:
        assert spent == later
