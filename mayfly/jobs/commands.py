"""Commands: requests to change a job, in the imperative. `decide` turns each into events.

A field with the name of an event's field means the same, and is described there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mayfly.jobs.events import Source, WorkerFailed, WorkerProgressed, WorkerSucceeded
from mayfly.jobs.refusal import Refusal
from mayfly.jobs.spec import JobSpec

ReportKind = Literal["started", "progress", "finished"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmitJob:
    """Open a stream with this spec."""

    job_id: str
    spec: JobSpec
    source: Source
    idempotency_key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestCancel:
    """End the job as canceled, unless it has ended."""

    source: Source
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveJob:
    """Hide an ended job from lists."""

    source: Source


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldJob:
    """Keep a queued job waiting."""

    reason: str
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestContainer:
    """Begin the next attempt, in this place."""

    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RefuseContainer:
    """Record that the platform refused the latest attempt's container."""

    attempt: int
    refusal: Refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimAttempt:
    """Claim the attempt for one running worker."""

    attempt: int
    claim: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportWork:
    """Record a worker's progress, or end the attempt with the worker's result or error."""

    attempt: int
    claim: str
    body: WorkerProgressed | WorkerSucceeded | WorkerFailed


@dataclass(frozen=True, kw_only=True, slots=True)
class ObserveContainer:
    """Record what the platform reports about an attempt's container."""

    attempt: int
    seen: Literal["pending", "running", "exited", "gone"]
    exit_code: int | None = None
    started_at: datetime | None = None
    pulling_at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpireDeadline:
    """End the latest attempt if one of its deadlines has passed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestDelete:
    """Record the container's output and samples, and request its deletion."""

    attempt: int
    log_text: str | None
    """None: there is no output, or it was recorded before."""
    log_truncated: bool = False
    """True: there was more before `log_text`."""
    samples: tuple[tuple[datetime, float, int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmGone:
    """Record that the platform has no such group (404)."""

    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NoteFound:
    """Record that a group exists although it was confirmed gone."""

    attempt: int


Report = ClaimAttempt | ReportWork
Command = (
    RequestCancel
    | ArchiveJob
    | HoldJob
    | RequestContainer
    | RefuseContainer
    | Report
    | ObserveContainer
    | ExpireDeadline
    | RequestDelete
    | ConfirmGone
    | NoteFound
)
