"""The tests with hundreds of jobs at once, a minute of CPU time each. They use no seed, so one run is enough."""

from __future__ import annotations

from tests.soak.command import run_pytest
from tests.soak.drills import Outcome, Soak


def run(soak: Soak) -> Outcome:
    """Run every test that is marked `scale`."""
    code, lines = run_pytest(soak, "scale", "-rP")
    did = "; ".join(line.strip() for line in lines if "jobs" in line and " in " in line) or "nothing"
    return Outcome(did=did, found=() if code == 0 else ("".join(lines),))
