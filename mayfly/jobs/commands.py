"""What may be asked of a job: each command in the imperative, with all that its decision needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mayfly.jobs.events import Source
from mayfly.jobs.spec import ErrorClass, JobSpec

ReportKind = Literal["started", "progress", "finished"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmitJob:
    job_id: str
    spec: JobSpec
    source: Source
    idempotency_key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestCancel:
    source: Source
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveJob:
    source: Source


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldJob:
    reason: str
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestContainer:
    """Begin the next attempt, in this place."""

    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RefuseContainer:
    """The platform said no to the latest attempt's container."""

    attempt: int
    refusal: Literal["permanent", "retry", "wait", "relocate"]
    code: str
    message: str
    hint: str
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimAttempt:
    attempt: int
    claim: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportProgress:
    attempt: int
    claim: str
    sequence: int
    fraction: float | None
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportSuccess:
    attempt: int
    claim: str
    result: Any
    exit_code: int | None
    output_tail: str
    cpu_s: float | None = None
    memory_peak_bytes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFailure:
    attempt: int
    claim: str
    error: ErrorClass
    message: str
    exit_code: int | None
    output_tail: str
    cpu_s: float | None = None
    memory_peak_bytes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ObserveContainer:
    """What the platform showed of an attempt's container."""

    attempt: int
    seen: Literal["pending", "running", "exited", "gone"]
    exit_code: int | None = None
    started_at: datetime | None = None
    pulling_at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpireDeadline:
    """Close the latest attempt if one of its deadlines has passed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestDelete:
    """Keep what the container leaves and ask for its deletion."""

    attempt: int
    log_text: str | None
    """None: there is no log to keep, or it was kept before."""
    log_truncated: bool = False
    samples: tuple[tuple[datetime, float, int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmGone:
    """The platform was asked and has no such group."""

    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NoteFound:
    """The group is there although it was seen gone."""

    attempt: int


Report = ClaimAttempt | ReportProgress | ReportSuccess | ReportFailure
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
