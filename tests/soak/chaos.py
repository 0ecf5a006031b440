"""`mayfly chaos` as a person runs it, with more jobs and more kills; each run checks itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.soak.drills import Outcome, Soak

_ROOT = Path(__file__).parents[2]
_RUNS = (
    ("--jobs", "400", "--kills", "40"),
    ("--jobs", "200", "--kills", "20"),
    ("--jobs", "200", "--kills", "15", "--lose-task-hub"),
    ("--jobs", "100", "--kills", "10", "--lose-task-hub"),
)
_RUNS_SHORT = (("--jobs", "60", "--kills", "8"), ("--jobs", "40", "--kills", "5", "--lose-task-hub"))


def run(soak: Soak) -> Outcome:
    """Perform each run with its own seed."""
    runs = _RUNS_SHORT if soak.short else _RUNS
    found = []
    for number, options in enumerate(runs):
        code, output = _chaos([*options, "--seed", str(soak.seed + number)], soak)
        if code != 0:
            found.append(f"exit code {code}\n{output}")
    jobs, kills = (sum(int(options[options.index(name) + 1]) for options in runs) for name in ("--jobs", "--kills"))
    return Outcome(did=f"{jobs} jobs and {kills} kills of the host in {len(runs)} runs", found=tuple(found))


def _chaos(options: Sequence[str], soak: Soak) -> tuple[int, str]:
    """Run it, and say how far it is."""
    command = [sys.executable, "-m", "mayfly", "chaos", *options]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines: list[str] = []
    assert process.stdout is not None
    with process.stdout as output:
        for line in output:
            lines.append(line)
            soak.progress(line.strip())
    return process.wait(), "".join(lines)
