"""Every property test of the suite, and every seeded run, with many more examples and from a seed of this run."""

from __future__ import annotations

import re

from tests.soak.command import run_pytest
from tests.soak.drills import Outcome, Soak

FACTOR = 30
FACTOR_SHORT = 2
SEEDS = 40
SEEDS_SHORT = 4
"""Of each seeded run; see tests/sampling.py."""

_PASSING = re.compile(r"- (\d+) passing")


def run(soak: Soak) -> Outcome:
    """Run pytest over all tests that are marked as properties or as seeded."""
    factor, seeds = (FACTOR_SHORT, SEEDS_SHORT) if soak.short else (FACTOR, SEEDS)
    code, lines = run_pytest(
        soak,
        "hypothesis or seeded",
        "--hypothesis-show-statistics",
        f"--hypothesis-seed={soak.seed}",
        environment={
            "MAYFLY_EXAMPLES_FACTOR": str(factor),
            "MAYFLY_SEEDS": str(seeds),
            "MAYFLY_SEED": str(soak.seed),
        },
    )
    text = "".join(lines)
    examples = sum(map(int, _PASSING.findall(text)))
    did = f"{examples:,} examples of properties, {seeds} seeds of each seeded run ({lines[-1].strip()})"
    if code == 0 and examples:
        return Outcome(did=did)
    return Outcome(did=did, found=(text if code else "no property was tried",))
