"""The state of a job: the values that `evolve` derives from its stream.

The folded job is also the view that readers see (I10): it is stored, listed and shown in this form. Long texts
(captured logs, samples) are not copied into it; it holds the positions of their events.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import TypeAdapter

from mayfly.jobs.events import Source
from mayfly.jobs.lifecycle import TERMINAL, ContainerFact, JobState
from mayfly.jobs.spec import ErrorClass, JobSpec

AttemptOutcome = Literal["succeeded", "failed", "refused", "timed_out", "canceled"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """A worker's latest progress report or heartbeat: see `WorkerProgressed`."""

    sequence: int
    fraction: float | None
    message: str
    at: datetime
    """When the report was received."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt: one container, claimed at most once."""

    number: int
    group: str
    place: str
    requested_at: datetime
    start_deadline: datetime
    container: ContainerFact = "requested"
    started_at: datetime | None = None
    """When its container began to run: by the platform's clock, or when the worker claimed it."""
    pulling_at: datetime | None = None
    """When the platform began to pull its image; None: unknown."""
    claim: str | None = None
    claimed_at: datetime | None = None
    run_deadline: datetime | None = None
    progress: Progress | None = None
    progress_count: int = 0
    reported: bool = False
    """True: the worker's final report was accepted."""
    outcome: AttemptOutcome | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    error: ErrorClass | None = None
    message: str | None = None
    """Why it failed, for people."""
    refusal: Literal["permanent", "retry", "wait", "relocate"] | None = None
    """How the platform refused its container; None: it was not refused."""
    cpu_s: float | None = None
    memory_peak_bytes: int | None = None
    container_exit_code: int | None = None
    exit_seen: bool = False
    logs_position: int | None = None
    """Position of the `LogsCaptured` event; None: there is none yet."""
    metrics_position: int | None = None
    """Position of the `MetricsSampled` event; None: there is none yet."""
    delete_requested_at: datetime | None = None
    delete_requests: int = 0
    gone_at: datetime | None = None
    ignored: tuple[str, ...] = ()
    """`report:reason` of each kind of ignored report that the log already holds."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """The fold of one stream."""

    job_id: str
    position: int
    state: JobState
    spec: JobSpec
    source: Source
    submitted_at: datetime
    updated_at: datetime
    idempotency_key: str | None = None
    attempts: tuple[Attempt, ...] = ()
    failures: int = 0
    """Attempts that failed or timed out; a refused container is not a failure of the job."""
    refusals: int = 0
    """Consecutive refusals of the kind `retry`."""
    held_reason: str | None = None
    held_until: datetime | None = None
    retry_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    ended_at: datetime | None = None
    error: ErrorClass | None = None
    message: str | None = None
    result: Any = None
    output: str | None = None
    """The end of the command's output; the event has the whole tail."""
    archived: bool = False

    @property
    def attempt(self) -> Attempt | None:
        """The latest attempt; None before the first."""
        return self.attempts[-1] if self.attempts else None

    def attempt_numbered(self, number: int) -> Attempt | None:
        """Return the attempt with this number; None: there is none."""
        return self.attempts[number - 1] if 0 < number <= len(self.attempts) else None

    def run_deadline(self, attempt: Attempt) -> datetime | None:
        """Return when an attempt must be finished; None: it has not begun.

        A claim sets the deadline. An image that may not contain a worker begins when the platform reports that it runs.
        """
        if attempt.run_deadline is not None:
            return attempt.run_deadline
        if self.spec.judged_by_exit_code and attempt.started_at is not None:
            return attempt.started_at + timedelta(seconds=self.spec.run_timeout_s)
        return None

    @property
    def over(self) -> bool:
        """True: the outcome is final (I3)."""
        return self.state in TERMINAL

    @property
    def lingering(self) -> tuple[Attempt, ...]:
        """The attempts that are over but whose container is not confirmed gone (I5)."""
        return tuple(a for a in self.attempts if a.outcome is not None and a.container != "gone")

    @property
    def settled(self) -> bool:
        """True: nothing is left to do for the job or for its containers."""
        return self.over and not self.lingering


_ADAPTER: TypeAdapter[Job] = TypeAdapter(Job)


def to_json(job: Job) -> str:
    """Return the job as JSON text; `from_json` reads it back as an equal job."""
    return _ADAPTER.dump_json(job).decode()


def to_document(job: Job) -> dict[str, Any]:
    """Return the job as JSON values."""
    document: dict[str, Any] = _ADAPTER.dump_python(job, mode="json")
    return document


def from_json(text: str | bytes) -> Job:
    """Read a job that `to_json` wrote."""
    return _ADAPTER.validate_json(text)
