"""Planted bugs: the simulation must find each, from any seed, and name the invariant that it breaks."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.simulation.mutants import MUTANTS
from tests.simulation.runs import processes, run_many
from tests.soak.drills import Outcome, Soak

SCHEDULES_MAX = 3_000
"""The one that hides best is found after 200 schedules from most seeds."""
SHORT = 6
"""How many of the bugs a short run plants, drawn by the seed."""


def run(soak: Soak) -> Outcome:
    """Plant one bug after the other and have it found."""
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
    """Return how many schedules it took, and what is wrong with what was found; None when it is right."""
    plant = MUTANTS[number]
    with plant.planted():
        found = run_many(range(seed, seed + SCHEDULES_MAX))
    ran = len(found.fingerprints)
    if found.broken is None:
        return ran, f"{ran} schedules from seed {seed}, and nobody noticed"
    return ran, None if found.broken in plant.breaks else found.report
