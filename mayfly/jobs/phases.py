"""The phases of a job, attempt by attempt, derived from the folded job.

The phases of one attempt follow each other without a gap. It is `queued` until its container is requested, `starting`
until the container runs or its worker claims it, and `running` until its outcome. Then it is `reporting` until the
deletion is requested, and `deleting` until the container is confirmed gone. `pulling` is the last part of `starting`,
from the start of the image pull. It is known only if the platform reports pull times and was polled before the claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from mayfly.jobs.job import Attempt, Job

PhaseName = Literal["queued", "starting", "pulling", "running", "reporting", "deleting"]
PHASES: tuple[PhaseName, ...] = get_args(PhaseName)


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """One stretch of a job's time."""

    name: PhaseName
    attempt: int
    """The attempt that it belongs to; a wait belongs to the attempt that follows it."""
    begun_at: datetime
    ended_at: datetime | None
    """None: it continues."""

    def seconds(self, now: datetime) -> float:
        """Return its length in seconds, until now if it continues."""
        return max(0.0, ((self.ended_at or now) - self.begun_at).total_seconds())


def phases(job: Job) -> Sequence[Phase]:
    """Return a job's phases, in the order of their beginning.

    >>> from datetime import UTC
    >>> from mayfly.jobs.spec import JobSpec
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> job = Job(job_id="ada-abcdefghij", position=1, state="queued", spec=JobSpec(message="hi"), source="http",
    ...           submitted_at=now, updated_at=now)
    >>> [(phase.name, phase.attempt, phase.ended_at) for phase in phases(job)]
    [('queued', 1, None)]
    """
    found: list[Phase] = []
    waiting_since = job.submitted_at
    for attempt in job.attempts:
        waited = Phase(name="queued", attempt=attempt.number, begun_at=waiting_since, ended_at=attempt.requested_at)
        found += [waited, *attempt_phases(attempt)]
        waiting_since = attempt.ended_at or waiting_since
    last = job.attempt
    if last is None or (last.outcome is not None and not job.over):
        number = len(job.attempts) + 1
        found.append(Phase(name="queued", attempt=number, begun_at=waiting_since, ended_at=job.ended_at))
    return found


def attempt_phases(attempt: Attempt) -> Sequence[Phase]:
    """Return the phases of one attempt, starting with the request of its container."""
    starts: list[tuple[PhaseName, datetime | None]] = [
        ("starting", attempt.requested_at),
        ("pulling", _pulling(attempt)),
        ("running", _began(attempt)),
        ("reporting", attempt.ended_at),
        ("deleting", attempt.delete_requested_at if attempt.ended_at else None),
    ]
    known = [(name, at) for name, at in starts if at is not None]
    ends = [at for _, at in known[1:]] + [attempt.gone_at]
    return [
        Phase(name=name, attempt=attempt.number, begun_at=begun_at, ended_at=ended_at)
        for (name, begun_at), ended_at in zip(known, ends, strict=True)
    ]


def _began(attempt: Attempt) -> datetime | None:
    """Return when it was first known to run, but never before the request, whatever the platform's clock says."""
    known = [at for at in (attempt.started_at, attempt.claimed_at) if at is not None]
    return max(min(known), attempt.requested_at) if known else None


def _pulling(attempt: Attempt) -> datetime | None:
    """Return when the pull began, between the request and the run, whatever the platform's clock says."""
    began = _began(attempt)
    if attempt.pulling_at is None or began is None:
        return None
    return min(max(attempt.pulling_at, attempt.requested_at), began)
