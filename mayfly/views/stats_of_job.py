"""The parts of a job that stats keep: pure functions that all stores share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from mayfly.clock import stamp
from mayfly.jobs.job import AttemptOutcome, Job
from mayfly.jobs.phases import PHASES, PhaseName, phases
from mayfly.views.stats import Attention, Span

WIDTHS: Mapping[Span, int] = {"minute": 16, "hour": 13, "day": 10}
"""Length of the part of a stamp that names the span: `2026-01-31T12:34` is a minute."""
_BEGINNINGS: Mapping[Span, str] = {"minute": ":00+00:00", "hour": ":00:00+00:00", "day": "T00:00:00+00:00"}


def begun_at(bucket: str, span: Span) -> datetime:
    """Return when a span began.

    >>> begun_at("2026-01-31T12", "hour").isoformat()
    '2026-01-31T12:00:00+00:00'
    """
    return datetime.fromisoformat(f"{bucket}{_BEGINNINGS[span]}")


def attention_of(job: Job) -> Mapping[Attention, str]:
    """Return the time since which the job needs attention, by kind."""
    since: dict[Attention, str] = {}
    if job.state == "queued" and job.held_reason is not None:
        since["held"] = stamp(job.updated_at)
    ends = [attempt.ended_at for attempt in job.lingering if attempt.ended_at is not None]
    if ends:
        since["lingering"] = stamp(min(ends))
    return since


def attempts_of(job: Job) -> Sequence[tuple[int, str, AttemptOutcome, Mapping[PhaseName, float]]]:
    """Return (number, end, outcome, seconds by phase) of each attempt that is over; empty if the job is not settled.

    A job whose container reappears is no longer settled.
    """
    if not job.settled:
        return []
    lengths = {
        (phase.attempt, phase.name): round(phase.seconds(phase.ended_at), 3)
        for phase in phases(job)
        if phase.ended_at is not None
    }
    return [
        (
            attempt.number,
            stamp(attempt.ended_at),
            attempt.outcome,
            {name: lengths[attempt.number, name] for name in PHASES if (attempt.number, name) in lengths},
        )
        for attempt in job.attempts
        if attempt.ended_at is not None and attempt.outcome is not None
    ]
