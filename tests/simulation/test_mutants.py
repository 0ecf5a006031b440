"""The simulation kills each mutant; otherwise it would find no bug either. `make soak` tries all, from any seed."""

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
    "mutant",
    [mutant for mutant in MUTANTS if mutant.name not in HIDDEN],
    ids=lambda mutant: mutant.name.replace(" ", "-"),
)
def test_each_mutant_is_killed_and_its_invariant_named(mutant: Mutant) -> None:
    with mutant.applied():
        found = run_many(range(SEED_DEFAULT, SEED_DEFAULT + SCHEDULES))
    assert found.broken is not None, f"{SCHEDULES} schedules did not notice that {mutant.name}"
    assert found.broken in mutant.breaks, found.report
    print(f"after {len(found.fingerprints)} schedules: {found.report.splitlines()[0]}")


def test_the_hidden_mutants_are_among_those_of_the_soak() -> None:
    assert {mutant.name for mutant in MUTANTS} > HIDDEN
