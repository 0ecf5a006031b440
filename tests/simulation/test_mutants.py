"""A simulation that cannot find a planted bug finds no other either."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.runs import SEED_DEFAULT, run_many

SEEDS_MAX = 300


@pytest.mark.parametrize("plant", MUTANTS, ids=lambda plant: plant.name.replace(" ", "-"))
def test_a_planted_bug_is_found_and_named(plant: Mutant) -> None:
    with plant.planted():
        found = run_many(range(SEED_DEFAULT, SEED_DEFAULT + SEEDS_MAX))
    assert found.broken is not None, f"{SEEDS_MAX} schedules and nobody noticed that {plant.name}"
    assert found.broken in plant.breaks, found.report
    print(f"after {len(found.fingerprints)} schedules: {found.report.splitlines()[0]}")
