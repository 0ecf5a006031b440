"""Run schedules and return the findings: one, many, or many on every core."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import get_args

from mayfly.jobs.reports import Verdict
from tests.simulation.schedule import Schedule
from tests.simulation.stream_rules import TERMINAL, Broken
from tests.simulation.world import World

SEED_DEFAULT = 20260101
SEED = int(os.environ.get("MAYFLY_SIMULATION_SEED", SEED_DEFAULT))
"""Of the first schedule; the others follow it."""
VERDICTS = frozenset(get_args(Verdict))
_CHUNK = 50


@dataclass(kw_only=True)
class Found:
    """The outcome of one schedule, or of several."""

    broken: str | None = None
    """The invariant of the first schedule that broke one."""
    report: str = ""
    """Seed, invariant and the last steps, for people."""
    steps: int = 0
    fingerprints: set[bytes] = field(default_factory=set)
    faults: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)

    def add(self, other: Found) -> None:
        if self.broken is None:
            self.broken, self.report = other.broken, other.report
        self.steps += other.steps
        self.fingerprints |= other.fingerprints
        self.faults += other.faults
        self.kinds += other.kinds
        self.ends += other.ends
        self.verdicts += other.verdicts


def run_one(seed: int, *, say: Callable[[str], None] | None = None) -> Found:
    """Run one schedule; the same seed runs the same one."""
    world = World(seed, say=say)
    schedule = Schedule(world)
    found = Found()
    with world.current():
        try:
            schedule.run()
        except Broken as broken:
            found.broken = broken.invariant
            found.report = "\n".join(
                [
                    f"seed {seed}: {broken}",
                    *(f"  also: {other}" for other in world.invariants.broken[1:]),
                    "the last steps:",
                    *list(world.trace)[-60:],
                    f"run it again: python -m tests.simulation --seed {seed} --verbose",
                ]
            )
    found.steps = schedule.steps
    found.fingerprints = {world.fingerprint.digest()}
    found.faults = world.faults.struck
    found.kinds = world.invariants.kinds
    found.verdicts = world.verdicts
    found.ends = Counter(TERMINAL[r.terminal] for r in world.invariants.rules.values() if r.terminal is not None)
    return found


def run_many(seeds: Iterable[int]) -> Found:
    """Run schedules until one breaks an invariant."""
    total = Found()
    for seed in seeds:
        total.add(run_one(seed))
        if total.broken is not None:
            break
    return total


def processes() -> int:
    """Return how many processes run schedules side by side."""
    return max(1, os.cpu_count() or 1)


def run_side_by_side(first: int, count: int, *, say: Callable[[str], None] = lambda _: None) -> Found:
    """Run schedules on every core, each process from its own seeds, until one breaks an invariant."""
    total = Found()
    starts = range(first, first + count, _CHUNK)
    chunks = [range(start, min(start + _CHUNK, first + count)) for start in starts]
    with ProcessPoolExecutor(processes(), mp_context=multiprocessing.get_context("spawn")) as pool:
        for found in pool.map(run_many, chunks):
            total.add(found)
            say(f"{len(total.fingerprints):,} of {count:,} schedules")
            if total.broken is not None:
                pool.shutdown(cancel_futures=True)
                break
    return total
