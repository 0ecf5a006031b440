"""One job in words: its age, its duration, its status, and its labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

from mayfly.jobs.job import Job
from mayfly.wording.times import clock, span


def age(job: Job, now: datetime | None = None) -> str:
    """Return how long ago a job was submitted."""
    return span(((now or datetime.now(UTC)) - job.submitted_at).total_seconds())


def duration(job: Job, now: datetime | None = None) -> str:
    """Return how long a job has taken, until its end or until now; empty before its first attempt."""
    if not job.attempts:
        return ""
    end = job.ended_at or now or datetime.now(UTC)
    return span((end - job.attempts[0].requested_at).total_seconds())


def summary(job: Job, *, format_time: Callable[[datetime], str] = clock) -> str:
    """Return a job's status in a few words: its result, why it ended, its progress, or why it is waiting."""
    match job.state:
        case "succeeded":
            return "" if job.result is None else json.dumps(job.result, ensure_ascii=False)
        case "failed" | "timed_out":
            return f"{job.error}: {job.message}" if job.message else str(job.error)
        case "canceled":
            return ""
        case "queued":
            if job.retry_at is not None:
                return f"attempt {len(job.attempts) + 1} at {format_time(job.retry_at)}"
            return f"held: {job.held_reason}" if job.held_reason else "waiting for a container"
        case "starting" | "running":
            progress = job.attempt.progress if job.attempt else None
            if progress is None:
                return "waiting for the worker to start" if job.state == "starting" else ""
            share = "" if progress.fraction is None else f"{progress.fraction:.0%}"
            return f"{share} {progress.message}".strip()


def label_list(job: Job) -> list[str]:
    """Return a job's labels, each as `a=1`, in alphabetical order."""
    return [f"{name}={value}" for name, value in sorted(job.spec.labels.items())]


def labels(job: Job) -> str:
    """Return a job's labels as `a=1 b=2`."""
    return " ".join(label_list(job))
