"""Schedules with faults: no invariant breaks, and the faults did occur. `make soak` runs many more."""

from __future__ import annotations

import pytest

from mayfly.jobs.events import KINDS
from mayfly.jobs.lifecycle import TERMINAL
from tests.simulation.faults import FAULTS
from tests.simulation.runs import SEED_DEFAULT, VERDICTS, Found, run_many, run_one

SCHEDULES = 150
"""The fewest schedules that cover every fault, event and outcome from the default seed."""


@pytest.fixture(scope="module")
def found() -> Found:
    total = run_many(range(SEED_DEFAULT, SEED_DEFAULT + SCHEDULES))
    print(f"{len(total.fingerprints)} schedules, {total.steps} steps")
    return total


def test_no_schedule_breaks_an_invariant(found: Found) -> None:
    assert found.broken is None, found.report


def test_all_schedules_differ(found: Found) -> None:
    assert len(found.fingerprints) == SCHEDULES


def test_every_kind_of_fault_occurred(found: Found) -> None:
    assert set(found.faults) == set(FAULTS)


def test_every_kind_of_event_was_written(found: Found) -> None:
    assert set(found.kinds) == set(KINDS)


def test_every_outcome_was_reached(found: Found) -> None:
    assert set(found.ends) == set(TERMINAL)


def test_every_verdict_was_given(found: Found) -> None:
    assert set(found.verdicts) == VERDICTS


def test_a_seed_runs_the_same_schedule_again() -> None:
    first, second = (run_one(SEED_DEFAULT + 7) for _ in range(2))
    assert (first.fingerprints, first.steps) == (second.fingerprints, second.steps)
