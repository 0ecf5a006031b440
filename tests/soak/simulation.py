"""The long simulation: many different schedules, which cover every kind of fault, event and outcome."""

from __future__ import annotations

from collections.abc import Set

from mayfly.jobs.events import KINDS
from mayfly.jobs.lifecycle import TERMINAL
from tests.simulation.faults import FAULTS
from tests.simulation.runs import VERDICTS, Found, run_side_by_side
from tests.soak.drills import Outcome, Soak

SCHEDULES = 20_000
SCHEDULES_SHORT = 400
_COVERED_FROM = 5_000
"""From this many schedules on, every kind of fault must have occurred: the rarest occurs in 1 of 100 schedules."""


def run(soak: Soak) -> Outcome:
    """Run schedules until one breaks an invariant."""
    count = SCHEDULES_SHORT if soak.short else SCHEDULES
    found = run_side_by_side(soak.seed, count, say=soak.progress)
    did = f"{len(found.fingerprints):,} different schedules from seed {soak.seed}, {found.steps:,} steps"
    return Outcome(did=f"{did}, {sum(found.faults.values()):,} faults", found=tuple(_faults_of(found, count)))


def _faults_of(found: Found, count: int) -> list[str]:
    if found.broken is not None:
        return [found.report]
    if count < _COVERED_FROM:
        return []
    never: dict[str, Set[str]] = {
        "fault": set(FAULTS) - set(found.faults),
        "event": set(KINDS) - set(found.kinds),
        "end": set(TERMINAL) - set(found.ends),
        "verdict": VERDICTS - set(found.verdicts),
    }
    return [
        f"no {what} of these kinds in {count:,} schedules: {', '.join(sorted(of))}" for what, of in never.items() if of
    ]
