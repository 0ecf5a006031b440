"""A simulation that cannot find a planted bug finds no other either. `make soak` plants all of them, from any seed."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.runs import SEED_DEFAULT, run_many

SCHEDULES = 20
HIDDEN = {
    "an event during an activity is forgotten",
    "any claim is accepted",
    "progress is written again",
    "the end is not sticky",
    "a success after the deadline flips the outcome",
    "an unknown exit code is 0",
}
"""Found too, but only after many more schedules."""


@pytest.mark.parametrize(
    "plant",
    [plant for plant in MUTANTS if plant.name not in HIDDEN],
    ids=lambda plant: plant.name.replace(" ", "-"),
)
def test_a_planted_bug_is_found_and_named(plant: Mutant) -> None:
    with plant.planted():
        found = run_many(range(SEED_DEFAULT, SEED_DEFAULT + SCHEDULES))
    assert found.broken is not None, f"{SCHEDULES} schedules and nobody noticed that {plant.name}"
    assert found.broken in plant.breaks, found.report
    print(f"after {len(found.fingerprints)} schedules: {found.report.splitlines()[0]}")


def test_the_hidden_bugs_are_among_those_of_the_soak() -> None:
    assert {plant.name for plant in MUTANTS} > HIDDEN
