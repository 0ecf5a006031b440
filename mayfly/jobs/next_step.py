"""Decide the orchestrator's next step from the job alone.

The orchestrator keeps no state: each activity returns the next one, when it is due, and which events may wake the
orchestrator earlier. After a restart from nothing it gets the same step (I1), and every wait has an end (I6).
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
    """The orchestrator's next activity, and how long to wait for it."""

    activity: Activity
    """`done`: the job is over and its containers are gone."""
    due_at: datetime | None = None
    """UTC; None: immediately."""
    wake_events: tuple[str, ...] = ()
    """External events that end the wait early; the next activity then reads the job to learn the reason."""

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
    """How often to poll the platform.

    A worker's report ends an attempt at once. Polls are for workers that do not report and images that have no worker.
    Units: seconds.
    """

    first_poll_s: float
    """First poll of an image that may not contain a worker, or of a container whose create had no clear answer."""
    claim_grace_s: float
    """First poll of any other container: how long a worker has to claim its attempt."""
    heartbeat_timeout_s: float | None
    """How long after its last report or heartbeat a worker is presumed alive; None: its container is polled anyway."""
    poll_max_s: float
    """The longest wait between two polls."""
    delete_poll_first_s: float
    """First poll of a container that is being deleted."""
    jitter: float
    """Up to this share is added to each wait, so that jobs that started together do not poll together."""
    delete_retry_s: float
    """How long to wait before the first delete is repeated; each repetition waits this much longer."""


LOCAL_POLLS = PollPolicy(
    first_poll_s=1.0,
    claim_grace_s=5.0,
    heartbeat_timeout_s=None,
    poll_max_s=30.0,
    delete_poll_first_s=0.2,
    jitter=0.0,
    delete_retry_s=5.0,
)
AZURE_POLLS = PollPolicy(
    first_poll_s=15.0,
    claim_grace_s=90.0,
    heartbeat_timeout_s=180.0,
    poll_max_s=300.0,
    delete_poll_first_s=5.0,
    jitter=0.2,
    delete_retry_s=30.0,
)
"""A job that runs normally is never polled before its end: decision 8.

Source: request-limits-and-throttling: 25 reads a second per subscription and region. A container starts within 10 to
60 s if its image is not large.
"""
_BACKOFF_SHARE = 0.5
"""The wait for the next poll, as a share of the time that the attempt or the deletion has taken so far."""
HEARTBEATS_PER_TIMEOUT = 3
"""How many heartbeats a worker sends within `heartbeat_timeout_s`; losing one or two has no effect."""


def next_step(job: Job, now: datetime, polls: PollPolicy, *, unsure: bool = False) -> NextStep:
    """Return the next step of a job.

    Shapes: `unsure` True: the platform was polled about the job's container and did not answer.

    >>> from datetime import UTC
    >>> from mayfly.jobs.spec import JobSpec
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> job = Job(job_id="ada-abcdefghij", position=1, state="queued", spec=JobSpec(message="hi"), source="http",
    ...           submitted_at=now, updated_at=now)
    >>> next_step(job, now, LOCAL_POLLS)
    NextStep(activity='begin_attempt', due_at=None, wake_events=())
    """
    if job.lingering:
        return _clean_up(job, now, polls)
    if job.over:
        return NextStep(activity="done")
    if job.state == "queued":
        at = max(job.retry_at or now, job.held_until or now)
        if at <= now:
            return NextStep(activity="begin_attempt")
        return begin_later(at)
    attempt = job.attempt
    if attempt is None:
        raise ValueError(f"{job.job_id} is {job.state} and has no attempt")
    deadline = job.run_deadline(attempt) or attempt.start_deadline
    poll_at = alive_until(job, polls)
    if poll_at is None or poll_at <= now:
        age_s = (now - attempt.requested_at).total_seconds()
        soon = unsure or job.spec.judged_by_exit_code
        # If a job may run for less than the claim grace, its deadline could pass before the first poll.
        first_poll_s = (
            polls.first_poll_s if soon else min(polls.claim_grace_s, max(job.spec.run_timeout_s, polls.first_poll_s))
        )
        jitter = 1 + polls.jitter * (zlib.crc32(job.job_id.encode()) / 2**32)
        wait_s = min(max(age_s * _BACKOFF_SHARE, first_poll_s) * jitter, polls.poll_max_s)
        poll_at = now + timedelta(seconds=wait_s)
    poll_at = min(poll_at, max(deadline, now))
    return NextStep(
        activity="observe_attempt", due_at=poll_at, wake_events=(attempt_ended_event(attempt.number), CANCEL_EVENT)
    )


def alive_until(job: Job, polls: PollPolicy) -> datetime | None:
    """Return until when the job's worker is presumed alive without a poll; None: poll the platform."""
    attempt = job.attempt
    if attempt is None or attempt.claimed_at is None or polls.heartbeat_timeout_s is None:
        return None
    heartbeat_at = attempt.progress.at if attempt.progress is not None else attempt.claimed_at
    return heartbeat_at + timedelta(seconds=polls.heartbeat_timeout_s)


def begin_later(at: datetime) -> NextStep:
    """Return the step that requests a container at this time unless the job is canceled first."""
    return NextStep(activity="begin_attempt", due_at=at, wake_events=(CANCEL_EVENT,))


def _clean_up(job: Job, now: datetime, polls: PollPolicy) -> NextStep:
    """Request missing deletions at once; poll containers that are being deleted less and less often."""
    waits = [_wait_s(a, now, polls) for a in job.lingering if a.container == "deleting"]
    if len(waits) < len(job.lingering):
        return NextStep(activity="end_attempt")
    return NextStep(activity="end_attempt", due_at=now + timedelta(seconds=min(waits)))


def _wait_s(attempt: Attempt, now: datetime, polls: PollPolicy) -> float:
    """Return how long to wait before the next poll of a deletion; each delete request starts four times slower."""
    since_s = (now - (attempt.delete_requested_at or now)).total_seconds()
    first_poll_s = polls.delete_poll_first_s * 4.0 ** min(attempt.delete_requests - 1, 8)
    return min(max(since_s * _BACKOFF_SHARE, first_poll_s), polls.poll_max_s)
