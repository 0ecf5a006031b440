"""`mayfly chaos` as a person runs it, with more jobs and more kills; each run checks itself."""

from __future__ import annotations

from tests.soak.command import run_module
from tests.soak.drills import Outcome, Soak

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
        code, lines = run_module(soak, "mayfly", "chaos", *options, "--seed", str(soak.seed + number))
        if code != 0:
            found.append(f"exit code {code}\n{''.join(lines)}")
    jobs, kills = (sum(int(options[options.index(name) + 1]) for options in runs) for name in ("--jobs", "--kills"))
    return Outcome(did=f"{jobs} jobs and {kills} kills of the host in {len(runs)} runs", found=tuple(found))
