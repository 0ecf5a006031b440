"""The jobs of a chaos run: a mix drawn from a seed, each with the one outcome that it may have."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import JobState
from mayfly.jobs.spec import ErrorClass

Kind = Literal["message", "command", "retry", "failure", "timeout", "cancel"]

WEIGHTS: Mapping[Kind, int] = {"message": 25, "command": 25, "retry": 20, "failure": 10, "timeout": 10, "cancel": 10}
_LINES_PER_S = 20
"""Speed of the worker's demo task (worker/demo_work.py)."""
_RECORD_RUN = 'echo ran >>"$CHAOS_RUNS/$MAYFLY_JOB_ID.$MAYFLY_ATTEMPT"; '
"""Writes a line per run of an attempt's command, independently of the log."""


@dataclass(frozen=True, kw_only=True)
class ChaosJob:
    """One job and its only right outcome."""

    kind: Kind
    document: Mapping[str, Any]
    idempotency_key: str
    state: JobState
    attempts: int = 1
    error: ErrorClass | None = None
    result: Any = None

    @property
    def runs_a_command(self) -> bool:
        """True: each of its attempts writes a line to a file."""
        return "command" in self.document

    def faults(self, job: Job) -> list[str]:
        """Return the differences between a job and its expected outcome."""
        # An attempt that the machine refused did not run the command.
        attempts = sum(attempt.outcome != "refused" for attempt in job.attempts)
        pairs = [
            ("state", self.state, job.state),
            ("attempts", self.attempts, attempts),
            ("error", self.error, job.error),
            ("result", self.result, job.result),
        ]
        return [
            f"{job.job_id} ({self.kind}): {name} is {found!r}, not {expected!r}"
            for name, expected, found in pairs
            if expected != found
        ]


def draw_jobs(count: int, rng: random.Random, *, runs: str) -> list[ChaosJob]:
    """Draw jobs; if there are enough, every kind is among them. Commands record their runs in the folder `runs`."""
    kinds = list(WEIGHTS)[:count]
    kinds += rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()), k=count - len(kinds))
    rng.shuffle(kinds)
    return [_draw(kind, number, rng, runs) for number, kind in enumerate(kinds, start=1)]


def demo_hash(message: str, seconds: float) -> str:
    """Return the expected hash of the worker's demo task.

    >>> demo_hash("hello", 0)
    '5d41402abc4b2a76b9719d911017c592'
    """
    for _ in range(max(1, int(seconds * _LINES_PER_S))):
        message = hashlib.md5(message.encode()).hexdigest()  # noqa: S324 - as the worker's demo task
    return message


def _draw(kind: Kind, number: int, rng: random.Random, runs: str) -> ChaosJob:
    key = f"chaos-{rng.getrandbits(64):016x}-{number}"
    pause_s = round(rng.uniform(0.0, 1.5), 2)
    match kind:
        case "message":
            message = f"message {number}"
            document = {"name": kind, "message": message, "env": {"MAYFLY_WORK_SECONDS": f"{pause_s}"}}
            hashed = {"hash": demo_hash(message, pause_s)}
            return ChaosJob(kind=kind, document=document, idempotency_key=key, state="succeeded", result=hashed)
        case "command":
            result = {"number": number}
            script = f"sleep {pause_s}; echo '::progress 0.5 half'; echo '::result {json.dumps(result)}'"
            document = _command(kind, script, runs)
            return ChaosJob(kind=kind, document=document, idempotency_key=key, state="succeeded", result=result)
        case "retry":
            good = rng.randint(2, 3)
            script = f'sleep {pause_s / 3:.2f}; test "$MAYFLY_ATTEMPT" -ge {good} || exit 7; echo "::result {good}"'
            document = _command(kind, script, runs, retry={"max_attempts": 4, "backoff_s": rng.choice([0.2, 1.0, 3.0])})
            return ChaosJob(
                kind=kind, document=document, idempotency_key=key, state="succeeded", attempts=good, result=good
            )
        case "failure":
            attempts = rng.randint(1, 2)
            document = _command(
                kind, f"sleep {pause_s}; exit 3", runs, retry={"max_attempts": attempts, "backoff_s": 0.2}
            )
            return ChaosJob(
                kind=kind, document=document, idempotency_key=key, state="failed", attempts=attempts, error="exit"
            )
        case "timeout":
            document = _command(kind, "exec sleep 600", runs, run_timeout_s=rng.choice([1, 2, 4]))
            return ChaosJob(kind=kind, document=document, idempotency_key=key, state="timed_out", error="run_timeout")
        case "cancel":
            document = _command(kind, "exec sleep 600", runs)
            return ChaosJob(kind=kind, document=document, idempotency_key=key, state="canceled")


def _command(kind: Kind, script: str, runs: str, **rest: Any) -> dict[str, Any]:
    return {"name": kind, "command": ["sh", "-c", _RECORD_RUN + script], "env": {"CHAOS_RUNS": runs}, **rest}


def count_kinds(jobs: Sequence[ChaosJob]) -> str:
    """Return the number of jobs of each kind, in words."""
    return ", ".join(f"{sum(job.kind == kind for job in jobs)} {kind}" for kind in WEIGHTS)
