"""The six jobs of the demo, and how each must end."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import JobState
from mayfly.jobs.spec import ErrorClass

_COUNTING = """
import json, sys, time
total = 0
for n in range(1, 11):
    total += n
    print(f"::progress {n / 10} added {n}", flush=True)
    time.sleep(0.15)
print("::result " + json.dumps({"sum": total, "numbers": 10}))
"""


@dataclass(frozen=True, kw_only=True)
class DemoJob:
    """One job of the demo and its expected outcome."""

    document: Mapping[str, Any]
    """The spec, as submitted."""
    expected: str
    """The expectation in words, for the table."""
    state: JobState
    attempts: int = 1
    error: ErrorClass | None = None
    result: Any = None
    """None: not compared."""
    act: Literal["cancel", "kill"] | None = None
    """The action of the demo while it runs."""

    @property
    def name(self) -> str:
        """Its name in the table."""
        return str(self.document["name"])

    def faults(self, job: Job) -> list[str]:
        """Return the differences between a job and its expected outcome."""
        pairs = [
            ("state", self.state, job.state),
            ("attempts", self.attempts, len(job.attempts)),
            ("error", self.error, job.error),
            ("result", self.result, job.result if self.result is not None else None),
        ]
        return [
            f"{job.job_id}: {name} is {found!r}, not {expected!r}"
            for name, expected, found in pairs
            if expected != found
        ]


DEMO_JOBS: tuple[DemoJob, ...] = (
    DemoJob(
        document={"name": "message", "message": "hello", "env": {"MAYFLY_WORK_SECONDS": "2"}},
        expected="the worker hashes a message",
        state="succeeded",
    ),
    DemoJob(
        document={"name": "result", "command": [sys.executable, "-I", "-c", _COUNTING], "labels": {"demo": "sum"}},
        expected="a command returns JSON",
        state="succeeded",
        result={"sum": 55, "numbers": 10},
    ),
    DemoJob(
        document={
            "name": "third-time",
            "command": ["sh", "-c", 'echo "attempt $MAYFLY_ATTEMPT"; test "$MAYFLY_ATTEMPT" = 3 || exit 7'],
            "retry": {"max_attempts": 5, "backoff_s": 0.3},
        },
        expected="fails twice, then succeeds",
        state="succeeded",
        attempts=3,
    ),
    DemoJob(
        document={"name": "canceled", "command": ["sleep", "600"]},
        expected="canceled while it runs",
        state="canceled",
        act="cancel",
    ),
    DemoJob(
        document={"name": "killed", "command": ["sleep", "600"]},
        expected="worker killed and noticed",
        state="failed",
        error="container_lost",
        act="kill",
    ),
    DemoJob(
        document={"name": "too-slow", "command": ["sleep", "600"], "run_timeout_s": 3},
        expected="stopped at its deadline",
        state="timed_out",
        error="run_timeout",
    ),
)
