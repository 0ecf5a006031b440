"""The jobs of a chaos run: a mix drawn from a seed, each with the one outcome that it may have."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

from drills.planned_job import PlannedJob, demo_hash

Kind = Literal["message", "command", "retry", "failure", "timeout", "cancel"]

WEIGHTS: Mapping[Kind, int] = {"message": 25, "command": 25, "retry": 20, "failure": 10, "timeout": 10, "cancel": 10}
_RECORD_RUN = 'echo ran >>"$CHAOS_RUNS/$MAYFLY_JOB_ID.$MAYFLY_ATTEMPT"; '
"""Writes a line per run of an attempt's command, independently of the log."""


def draw_jobs(count: int, rng: random.Random, *, runs: str) -> list[PlannedJob]:
    """Draw jobs; if there are enough, every kind is among them. Commands record their runs in the folder `runs`."""
    kinds = list(WEIGHTS)[:count]
    kinds += rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()), k=count - len(kinds))
    rng.shuffle(kinds)
    return [_draw(kind, number, rng, runs) for number, kind in enumerate(kinds, start=1)]


def _draw(kind: Kind, number: int, rng: random.Random, runs: str) -> PlannedJob:
    planned = partial(PlannedJob, idempotency_key=f"chaos-{rng.getrandbits(64):016x}-{number}")
    command = partial(_command, kind, runs)
    pause_s = round(rng.uniform(0.0, 1.5), 2)
    match kind:
        case "message":
            message = f"message {number}"
            document = {"name": kind, "message": message, "env": {"MAYFLY_WORK_SECONDS": f"{pause_s}"}}
            return planned(document=document, state="succeeded", result={"hash": demo_hash(message, pause_s)})
        case "command":
            result = {"number": number}
            script = f"sleep {pause_s}; echo '::progress 0.5 half'; echo '::result {json.dumps(result)}'"
            return planned(document=command(script), state="succeeded", result=result)
        case "retry":
            good = rng.randint(2, 3)
            script = f'sleep {pause_s / 3:.2f}; test "$MAYFLY_ATTEMPT" -ge {good} || exit 7; echo "::result {good}"'
            document = command(script, retry={"max_attempts": 4, "backoff_s": rng.choice([0.2, 1.0, 3.0])})
            return planned(document=document, state="succeeded", attempts=good, result=good)
        case "failure":
            attempts = rng.randint(1, 2)
            document = command(f"sleep {pause_s}; exit 3", retry={"max_attempts": attempts, "backoff_s": 0.2})
            return planned(document=document, state="failed", attempts=attempts, error="exit")
        case "timeout":
            document = command("exec sleep 600", run_timeout_s=rng.choice([1, 2, 4]))
            return planned(document=document, state="timed_out", error="run_timeout")
        case "cancel":
            return planned(document=command("exec sleep 600"), state="canceled", act="cancel")


def _command(kind: Kind, runs: str, script: str, **rest: Any) -> dict[str, Any]:
    return {"name": kind, "command": ["sh", "-c", _RECORD_RUN + script], "env": {"CHAOS_RUNS": runs}, **rest}
