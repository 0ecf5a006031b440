"""Run drills: `python -m tests.soak [DRILL ...] [--short] [--seed N]`. Exits with 1 if one finds something."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Sequence

from tests.soak.drills import DRILLS, Outcome, Soak, run_drill


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named drills, or all of them, and print what each did and found."""
    asked = _parser().parse_args(arguments)
    unknown = sorted(set(asked.drills) - DRILLS.keys())
    if unknown:
        _parser().error(f"unknown drill {', '.join(unknown)}: choose from {', '.join(DRILLS)}")
    seed = secrets.randbelow(1_000_000_000) if asked.seed is None else asked.seed
    soak = Soak(seed=seed, short=asked.short)
    soak.say(f"soak: seed {seed}{', short' if asked.short else ''}")
    failed: list[str] = []
    for name in asked.drills or DRILLS:
        soak.say(f"{name}: {DRILLS[name]}")
        begun = time.monotonic()
        outcome = run_drill(name, soak)
        _report(soak, name, outcome, time.monotonic() - begun)
        if outcome.found:
            failed.append(name)
    if failed:
        soak.say(f"\nsoak FAILED: {', '.join(failed)}. Run it again: {_again(failed, seed, short=asked.short)}")
        return 1
    soak.say("\nsoak passed")
    return 0


def _report(soak: Soak, name: str, outcome: Outcome, seconds: float) -> None:
    sign = "✘" if outcome.found else "✔"
    soak.say(f"{sign} {name}: {outcome.did} ({seconds:.0f} s)")
    for one in outcome.found:
        soak.say("\n".join(f"    {line}" for line in one.splitlines()))


def _again(drills: Sequence[str], seed: int, *, short: bool) -> str:
    return f"python -m tests.soak {' '.join(drills)} --seed {seed}{' --short' if short else ''}"


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:12}{what}" for name, what in DRILLS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description="Run the long-running drills.",
        epilog=f"drills:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("drills", nargs="*", metavar="DRILL", help="which to run; all if none is named")
    parser.add_argument("--short", action="store_true", help="a little of each, in a few minutes")
    parser.add_argument("--seed", type=int, help="draw the same again; printed by each run")
    return parser


if __name__ == "__main__":
    sys.exit(main())
