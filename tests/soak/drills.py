"""The drills, and the settings and the outcome of one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module

DRILLS: Mapping[str, str] = {
    "simulation": "whole jobs under an adversarial scheduler",
    "mutants": "bugs in the code, each of which the simulation must find",
    "fuzz": "properties and seeded runs, with many more examples than in `make test`",
    "scale": "hundreds of jobs at once against Azure's documented limits",
    "chaos": "real jobs while the host is killed again and again",
}
"""By the name of their module in this folder, in the order in which they run."""

_SAY_EVERY_S = 10.0


@dataclass
class Soak:
    """One soak. `short`: a little of each drill, as in CI."""

    seed: int
    short: bool = False
    _said_at: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, flush=True)

    def progress(self, text: str) -> None:
        """Print how far a drill is, every few seconds."""
        if time.monotonic() - self._said_at > _SAY_EVERY_S:
            self._said_at = time.monotonic()
            print(f"  {text}", file=sys.stderr, flush=True)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a drill. `did`: what ran, and how much of it. `found`: the faults, and how to reproduce them."""

    did: str
    found: tuple[str, ...] = ()


def run_drill(name: str, soak: Soak) -> Outcome:
    """Run a drill by its name."""
    run: Callable[[Soak], Outcome] = import_module(f"tests.soak.{name}").run
    return run(soak)
