"""What the orchestrator should do next, read off the job alone.

The orchestrator holds no knowledge of its own: after each activity it is told the next one, when to do it, and what
may wake it before. Started again from nothing it is told the same (I1), and every wait has an end (I6).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from mayfly.jobs.job import Attempt, Job
from mayfly.jobs.names import CANCEL_EVENT, attempt_ended_event

Activity = Literal["begin_attempt", "observe_attempt", "end_attempt", "done"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NextStep:
    """What the orchestrator does next."""

    activity: Activity
    """`done`: the job is over and its containers are gone."""
    due_at: datetime | None = None
    """UTC; None: at once."""
    wake_events: tuple[str, ...] = ()
    """External events that end the wait early; `end_attempt` then finds out what happened."""

    def to_document(self) -> dict[str, Any]:
        """Return the step as JSON values for the task hub.

        Shapes: `{do, at, wake}`; the names are in the histories of running orchestrations and never change.

        >>> NextStep(activity="done").to_document()
        {'do': 'done', 'at': None, 'wake': []}
        """
        return {
            "do": self.activity,
            "at": None if self.due_at is None else self.due_at.isoformat(),
            "wake": [*self.wake_events],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> NextStep:
        """Read what `to_document` returned."""
        at = document["at"]
        return cls(
            activity=document["do"],
            due_at=None if at is None else datetime.fromisoformat(at),
            wake_events=tuple(document["wake"]),
        )


@dataclass(frozen=True, kw_only=True)
class PollPolicy:
    """How often to look at the platform. The report event brings the end at once; looks are for when it does not."""

    first_poll_s: float
    """The first look at a container that only looks can tell of: an image that may hold no worker, or a create of which
    nobody knows whether it was taken."""
    claim_grace_s: float
    """The first look at any other: so long a worker is given to claim."""
    heartbeat_timeout_s: float | None
    """How long after its last report or heartbeat a worker is presumed alive; None: its container is polled anyway."""
    growth: float
    """Each next look waits this share of the attempt's age."""
    longest_s: float
    delete_poll_first_s: float
    """The first look for a deleted container."""
    jitter: float
    """Each look comes later by up to this share of its wait, so that jobs that began at once do not look at once."""
    delete_retry_s: float
    """How long the first delete is waited for before it is asked for again; each next one is given so much longer."""


LOCAL_POLLS = PollPolicy(
    first_poll_s=1.0,
    claim_grace_s=5.0,
    heartbeat_timeout_s=None,
    growth=0.5,
    longest_s=30.0,
    delete_poll_first_s=0.2,
    jitter=0.0,
    delete_retry_s=5.0,
)
AZURE_POLLS = PollPolicy(
    first_poll_s=15.0,
    claim_grace_s=90.0,
    heartbeat_timeout_s=180.0,
    growth=0.5,
    longest_s=300.0,
    delete_poll_first_s=5.0,
    jitter=0.2,
    delete_retry_s=30.0,
)
"""A job without trouble is never polled before its end: decision 8.

Source: request-limits-and-throttling: 25 reads a second for a subscription and region. A container starts within 10 to
60 s where its image is not large.
"""
HEARTBEATS_PER_TIMEOUT = 3
"""How many heartbeats a worker sends within `heartbeat_timeout_s`, so that one or two lost ones raise no doubt."""


def next_step(job: Job, now: datetime, pace: PollPolicy, *, unsure: bool = False) -> NextStep:
    """Return the next step of a job. `unsure`: the platform was asked about its container, and did not answer.

    >>> from datetime import UTC
    >>> from mayfly.jobs.job import Job
    >>> from mayfly.jobs.spec import JobSpec
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> job = Job(job_id="ada-abcdefghij", position=1, state="queued", spec=JobSpec(message="hi"), source="http",
    ...           submitted_at=now, updated_at=now)
    >>> next_step(job, now, LOCAL_POLLS)
    NextStep(activity='begin_attempt', due_at=None, wake_events=())
    """
    if job.lingering:
        return _clean_up(job, now, pace)
    if job.over:
        return NextStep(activity="done")
    if job.state == "queued":
        at = max(job.retry_at or now, job.held_until or now)
        if at <= now:
            return NextStep(activity="begin_attempt")
        return begin_later(at)
    attempt = job.attempt
    assert attempt is not None, "a job that is starting or running has an attempt"  # noqa: S101
    deadline = job.run_deadline(attempt) or attempt.start_deadline
    look_at = alive_until(job, pace)
    if look_at is None or look_at <= now:
        age_s = (now - attempt.requested_at).total_seconds()
        soon = unsure or job.spec.judged_by_exit_code
        # A worker that may run for less than it is given to claim would outrun its deadline until the first look.
        first_poll_s = (
            pace.first_poll_s if soon else min(pace.claim_grace_s, max(job.spec.run_timeout_s, pace.first_poll_s))
        )
        later = 1 + pace.jitter * (zlib.crc32(job.job_id.encode()) / 2**32)
        wait_s = min(max(age_s * pace.growth, first_poll_s) * later, pace.longest_s)
        look_at = now + timedelta(seconds=wait_s)
    look_at = min(look_at, max(deadline, now))
    return NextStep(
        activity="observe_attempt",
        due_at=look_at,
        wake_events=(attempt_ended_event(attempt.number), CANCEL_EVENT),
    )


def alive_until(job: Job, pace: PollPolicy) -> datetime | None:
    """Return until when the job's worker is presumed alive without a poll; None: poll the platform."""
    attempt = job.attempt
    if attempt is None or attempt.claimed_at is None or pace.heartbeat_timeout_s is None:
        return None
    heard_at = attempt.progress.at if attempt.progress is not None else attempt.claimed_at
    return heard_at + timedelta(seconds=pace.heartbeat_timeout_s)


def begin_later(at: datetime) -> NextStep:
    """Return the step that asks for a container at a time, unless the job is canceled before."""
    return NextStep(activity="begin_attempt", due_at=at, wake_events=(CANCEL_EVENT,))


def _clean_up(job: Job, now: datetime, pace: PollPolicy) -> NextStep:
    """Delete at once what was not asked for yet; look for the rest less and less often."""
    waits = [_wait_s(a, now, pace) for a in job.lingering if a.container == "deleting"]
    if len(waits) < len(job.lingering):
        return NextStep(activity="end_attempt")
    return NextStep(activity="end_attempt", due_at=now + timedelta(seconds=min(waits)))


def _wait_s(attempt: Attempt, now: datetime, pace: PollPolicy) -> float:
    """Return how long to wait before the next look for a deleted container; each request begins four times slower."""
    since_s = (now - (attempt.delete_requested_at or now)).total_seconds()
    first_poll_s = pace.delete_poll_first_s * 4.0 ** min(attempt.delete_requests - 1, 8)
    return min(max(since_s * 0.5, first_poll_s), pace.longest_s)
