"""Mutants: the simulation must kill each, from any seed, and name the invariant that it breaks."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.simulation.mutants import MUTANTS
from tests.simulation.runs import processes, run_many
from tests.soak.drills import Outcome, Soak

SCHEDULES_MAX = 3_000
"""From most seeds, even the best hidden mutant is killed within 200 schedules."""
SHORT = 6
"""The number of mutants in a short run; the seed selects them."""


def run(soak: Soak) -> Outcome:
    """Run the simulation with one mutant after the other."""
    first = soak.seed % len(MUTANTS)
    numbers = [(first + offset) % len(MUTANTS) for offset in range(SHORT if soak.short else len(MUTANTS))]
    found: list[str] = []
    schedules = 0
    with ProcessPoolExecutor(processes(), mp_context=multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(_hunt, number, soak.seed): number for number in numbers}
        for done, future in enumerate(as_completed(running), 1):
            ran, fault = future.result()
            schedules += ran
            if fault is not None:
                found.append(f"{MUTANTS[running[future]].name}: {fault}")
            soak.progress(f"{done} of {len(numbers)} bugs hunted, {schedules:,} schedules")
    return Outcome(
        did=f"{len(numbers) - len(found)} of {len(numbers)} bugs found in {schedules:,} schedules", found=tuple(found)
    )


def _hunt(number: int, seed: int) -> tuple[int, str | None]:
    """Return the number of schedules, and why the mutant was not killed correctly; None if it was."""
    mutant = MUTANTS[number]
    with mutant.applied():
        found = run_many(range(seed, seed + SCHEDULES_MAX))
    ran = len(found.fingerprints)
    if found.broken is None:
        return ran, f"{ran} schedules from seed {seed}, and the mutant survived"
    return ran, None if found.broken in mutant.breaks else found.report
