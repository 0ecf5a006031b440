"""Every property test of the suite, and every seeded run, with many more examples and from a seed of this run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.soak.drills import Outcome, Soak

FACTOR = 30
FACTOR_SHORT = 2
SEEDS = 40
SEEDS_SHORT = 4
"""Of each seeded run; see tests/sampling.py."""

_ROOT = Path(__file__).parents[2]
_PASSING = re.compile(r"- (\d+) passing")


def run(soak: Soak) -> Outcome:
    """Run pytest over all tests that are marked as properties or as seeded."""
    factor, seeds = (FACTOR_SHORT, SEEDS_SHORT) if soak.short else (FACTOR, SEEDS)
    command = [sys.executable, "-m", "pytest", "-m", "hypothesis or seeded", "-q", "--no-header", "--tb=short"]
    command += [
        "-p",
        "no:cacheprovider",
        "--hypothesis-show-statistics",
        f"--hypothesis-seed={soak.seed}",
        "--timeout=0",
    ]
    environment = {
        **os.environ,
        "MAYFLY_EXAMPLES_FACTOR": str(factor),
        "MAYFLY_SEEDS": str(seeds),
        "MAYFLY_SEED": str(soak.seed),
    }
    process = subprocess.Popen(
        command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines: list[str] = []
    assert process.stdout is not None
    with process.stdout as output:
        for line in output:
            lines.append(line)
            soak.progress(line.strip() or "running")
    code = process.wait()
    text = "".join(lines)
    examples = sum(map(int, _PASSING.findall(text)))
    did = f"{examples:,} examples of properties, {seeds} seeds of each seeded run ({lines[-1].strip()})"
    if code == 0 and examples:
        return Outcome(did=did)
    return Outcome(did=did, found=(text if code else "no property was tried",))
