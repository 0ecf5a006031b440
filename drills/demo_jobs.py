"""The six jobs of the demo, and how each must end."""

from __future__ import annotations

import sys

from drills.planned_job import PlannedJob, demo_hash

_COUNTING = """
import json, sys, time
total = 0
for n in range(1, 11):
    total += n
    print(f"::progress {n / 10} added {n}", flush=True)
    time.sleep(0.15)
print("::result " + json.dumps({"sum": total, "numbers": 10}))
"""


DEMO_JOBS: tuple[PlannedJob, ...] = (
    PlannedJob(
        document={"name": "message", "message": "hello", "env": {"MAYFLY_WORK_SECONDS": "2"}},
        expected="the worker hashes a message",
        state="succeeded",
        result={"hash": demo_hash("hello", 2)},
    ),
    PlannedJob(
        document={"name": "result", "command": [sys.executable, "-I", "-c", _COUNTING], "labels": {"demo": "sum"}},
        expected="a command returns JSON",
        state="succeeded",
        result={"sum": 55, "numbers": 10},
    ),
    PlannedJob(
        document={
            "name": "third-time",
            "command": ["sh", "-c", 'echo "attempt $MAYFLY_ATTEMPT"; test "$MAYFLY_ATTEMPT" = 3 || exit 7'],
            "retry": {"max_attempts": 5, "backoff_s": 0.3},
        },
        expected="fails twice, then succeeds",
        state="succeeded",
        attempts=3,
    ),
    PlannedJob(
        document={"name": "canceled", "command": ["sleep", "600"]},
        expected="canceled while it runs",
        state="canceled",
        act="cancel",
    ),
    PlannedJob(
        document={"name": "killed", "command": ["sleep", "600"]},
        expected="worker killed and noticed",
        state="failed",
        error="container_lost",
        act="kill",
    ),
    PlannedJob(
        document={"name": "too-slow", "command": ["sleep", "600"], "run_timeout_s": 3},
        expected="stopped at its deadline",
        state="timed_out",
        error="run_timeout",
    ),
)
