"""A job of a drill, with the one outcome that it may have."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import JobState
from mayfly.jobs.spec import ErrorClass

_LINES_PER_S = 20
"""Speed of the worker's demo task (worker/demo_work.py)."""


@dataclass(frozen=True, kw_only=True)
class PlannedJob:
    """One job and its only right outcome."""

    document: Mapping[str, Any]
    """The spec, as submitted; it has a name."""
    state: JobState
    attempts: int = 1
    error: ErrorClass | None = None
    result: Any = None
    expected: str = ""
    """The expectation in words, for a table."""
    act: Literal["cancel", "kill"] | None = None
    """The action of the drill while it runs."""
    idempotency_key: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def name(self) -> str:
        """Its name in tables."""
        return str(self.document["name"])

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
            f"{job.job_id} ({self.name}): {name} is {found!r}, not {expected!r}"
            for name, expected, found in pairs
            if expected != found
        ]


def demo_hash(message: str, seconds: float) -> str:
    """Return the expected hash of the worker's demo task.

    >>> demo_hash("hello", 0)
    '5d41402abc4b2a76b9719d911017c592'
    """
    for _ in range(max(1, int(seconds * _LINES_PER_S))):
        message = hashlib.md5(message.encode()).hexdigest()  # noqa: S324 - as the worker's demo task
    return message
