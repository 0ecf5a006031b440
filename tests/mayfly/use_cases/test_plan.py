"""The plan for a spec: its price, its obstacles and its warnings, without a trace in the log."""

from __future__ import annotations

import pytest

from mayfly.jobs.spec import JobSpec, RetryPolicy
from mayfly.use_cases.plan import Plan, plan
from tests.mayfly.composed import Composed


def _plan(composed: Composed, spec: JobSpec) -> Plan:
    return composed.runner.run(plan(composed.mayfly, spec))


def test_the_highest_price_has_every_attempt_run_until_its_deadline(composed: Composed) -> None:
    spec = JobSpec(
        message="hi", cpu=2, memory_gb=4, start_timeout_s=600, run_timeout_s=3_000, retry=RetryPolicy(max_attempts=3)
    )
    found = _plan(composed, spec)
    assert found.price_per_hour == pytest.approx(2 * 0.05 + 4 * 0.005)
    assert found.price_at_most == pytest.approx(found.price_per_hour * 3)
    assert (found.spec, found.place, found.obstacles) == (spec, "local", ())
    assert composed.whole_log() == []


def test_every_missing_secret_is_an_obstacle(composed: Composed) -> None:
    composed.secrets.values["known"] = "pa55word"
    found = _plan(composed, JobSpec(message="hi", secrets={"A": "known", "B": "first", "C": "second"}))
    assert [obstacle.partition(":")[0] for obstacle in found.obstacles] == [
        "there is no secret 'first'",
        "there is no secret 'second'",
    ]
