"""Run schedules by hand: `python -m tests.simulation --seed N [--count M] [--verbose]`."""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation.runs import SEED, Found, run_one


def main() -> int:
    """Run them and return 1 if one broke an invariant."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="print every step")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first broken schedule")
    arguments = parser.parse_args()
    begun = time.perf_counter()
    total, broken = Found(), 0
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        found = run_one(seed, say=print if arguments.verbose else None)
        total.add(found)
        if found.broken is not None:
            broken += 1
            print(found.report.split("\n")[0] if arguments.keep_going else found.report)
            if not arguments.keep_going:
                break
    seconds = time.perf_counter() - begun
    print(f"{len(total.fingerprints)} schedules, {total.steps} steps, {broken} broken, {seconds:.1f} s")
    for name in ("ends", "verdicts", "kinds", "faults"):
        print(f"{name}: {dict(getattr(total, name).most_common())}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
