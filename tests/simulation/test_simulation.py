"""Two thousand lives under trouble: no invariant breaks, and the trouble was real."""

from __future__ import annotations

import pytest

from mayfly.jobs.events import KINDS
from mayfly.jobs.lifecycle import TERMINAL
from tests.simulation.faults import FAULTS
from tests.simulation.runs import SEED, Found, run_in_two, run_one

SCHEDULES_MIN = 2_000
_SPARE = 20
"""A few more are run, so that two schedules that happen to be the same do no harm."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def found() -> Found:
    total = run_in_two(SEED, SCHEDULES_MIN + _SPARE)
    print(f"seed {SEED}: {len(total.fingerprints)} schedules, {total.steps} steps")
    return total


def test_no_schedule_breaks_an_invariant(found: Found) -> None:
    assert found.broken is None, found.report


def test_two_thousand_schedules_differ(found: Found) -> None:
    assert len(found.fingerprints) >= SCHEDULES_MIN


def test_every_kind_of_fault_struck(found: Found) -> None:
    assert set(found.faults) == set(FAULTS)


def test_every_kind_of_event_was_written(found: Found) -> None:
    assert set(found.kinds) == set(KINDS)


def test_every_end_was_reached(found: Found) -> None:
    assert set(found.ends) == set(TERMINAL)


def test_every_verdict_was_given(found: Found) -> None:
    assert set(found.verdicts) == {"accept", "seen", "claimed_by_another", "not_claimed", "attempt_over"}


def test_a_seed_runs_the_same_schedule_again() -> None:
    first, second = (run_one(SEED + 7) for _ in range(2))
    assert (first.fingerprints, first.steps) == (second.fingerprints, second.steps)
