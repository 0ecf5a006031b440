"""Every kind of event in a job's stream, field by field, and the envelope that carries it.

Events are facts in the past tense with one meaning each. They are never changed or removed. A new meaning gets a new
kind, and a new field gets a default so that old events can be read. Times are aware UTC datetimes, as ISO 8601.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter

from mayfly.jobs.spec import ErrorClass, JobSpec

EVENT_VERSION = 1

Source = Literal["http", "cli", "dashboard", "queue", "orchestrator", "worker", "platform", "reconciler"]
"""The origin of an event: an entry point, the orchestrator's decision, a worker's report, or an observation."""

Deadline = Literal["start", "run"]


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSubmitted:
    """A spec was accepted. Always at position 1."""

    spec: JobSpec
    """As accepted, with defaults filled in. It holds references to secrets, never their values."""
    idempotency_key: str | None = None
    """The caller's key, from which the job id was derived; None: the caller sent none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobHeld:
    """The job cannot start yet because of a limit or a refusal, not because of its spec."""

    reason: str
    """For people: the limit, and how much of it is used."""
    until: datetime
    """When admission is requested again; an expectation, not a promise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerRequested:
    """A container group is about to be created. From here on it is tracked until it is confirmed gone (I5)."""

    group: str
    place: str
    """A region, or `local`."""
    image: str | None
    """None: the standard worker."""
    cpu: float
    memory_gb: float
    start_deadline: datetime
    """When the attempt times out unless a worker has claimed it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerRefused:
    """The platform refused to create the group."""

    refusal: Literal["permanent", "retry", "wait", "relocate"]
    code: str
    """The platform's own code."""
    message: str
    """The platform's own words."""
    hint: str
    """How a person can fix it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerStarted:
    """The platform reported that the container runs."""

    started_at: datetime | None
    """By the platform's clock; None: it does not report the time."""
    pulling_at: datetime | None = None
    """When the platform began to pull the image; None: it did not pull, or does not report the time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerStarted:
    """One running container claimed this attempt, so no other can (I4)."""

    claim: str
    """32 hex digits that the worker drew when it started."""
    run_deadline: datetime
    """When the attempt times out unless its last report has arrived."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerProgressed:
    """The worker reported progress or sent a heartbeat."""

    sequence: int
    """The worker's own rising count. A lower or equal number is a repetition."""
    fraction: float | None
    """0 to 1; None: unknown."""
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerSucceeded:
    """The worker reported success."""

    result: Any
    """JSON, as the command returned it; None: it returned nothing."""
    exit_code: int | None
    output_tail: str
    """The end of the command's output."""
    cpu_s: float | None = None
    """CPU seconds of the command, as the worker measured them."""
    memory_peak_bytes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerFailed:
    """The worker reported failure."""

    error: ErrorClass
    message: str
    exit_code: int | None
    output_tail: str
    cpu_s: float | None = None
    memory_peak_bytes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerExited:
    """The platform reported that the container ended before its attempt had an outcome."""

    exit_code: int | None
    """None: the platform does not know it. Never treat None as 0."""
    detail: str
    """The platform's own words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptTimedOut:
    """A deadline of the attempt passed."""

    deadline: Deadline


@dataclass(frozen=True, kw_only=True, slots=True)
class LogsCaptured:
    """The container's output, read before the container was deleted."""

    text: str
    truncated: bool
    """True: there was more before `text`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricsSampled:
    """The container's CPU and memory samples, read before the container was deleted."""

    samples: tuple[tuple[datetime, float, int], ...]
    """(at, CPU in cores, memory in bytes), oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryScheduled:
    """The attempt failed, and another will follow."""

    at: datetime
    """The earliest start. The failed attempt's container must be confirmed gone as well."""
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelRequested:
    """A caller requested that the job stop."""

    reason: str | None
    """For people; None: the caller gave none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerDeleteRequested:
    """The group is about to be deleted. Written again if the delete has to be repeated."""

    group: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerGone:
    """The platform confirmed that the group does not exist (404)."""

    group: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerFound:
    """The group exists although it was confirmed gone, because a create came late. It is deleted again."""

    group: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportIgnored:
    """A report arrived that no longer changes anything. Written once per attempt, kind and reason."""

    report: Literal["started", "progress", "finished"]
    reason: Literal["attempt_over", "claimed_by_another"]
    claim: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSucceeded:
    """The job ended: its work succeeded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFailed:
    """The job ended: it failed, and no attempt is left."""

    error: ErrorClass
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JobTimedOut:
    """The job ended: a deadline passed, and no attempt is left."""

    deadline: Deadline


@dataclass(frozen=True, kw_only=True, slots=True)
class JobCanceled:
    """The job ended: it was canceled before it had another outcome."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobArchived:
    """The job is hidden from lists; it is never erased."""


Body = (
    JobSubmitted
    | JobHeld
    | ContainerRequested
    | ContainerRefused
    | ContainerStarted
    | WorkerStarted
    | WorkerProgressed
    | WorkerSucceeded
    | WorkerFailed
    | ContainerExited
    | AttemptTimedOut
    | LogsCaptured
    | MetricsSampled
    | RetryScheduled
    | CancelRequested
    | ContainerDeleteRequested
    | ContainerGone
    | ContainerFound
    | ReportIgnored
    | JobSucceeded
    | JobFailed
    | JobTimedOut
    | JobCanceled
    | JobArchived
)

KINDS: dict[str, type[Body]] = {kind.__name__: kind for kind in Body.__args__}
_ADAPTERS: dict[str, TypeAdapter[Body]] = {name: TypeAdapter(kind) for name, kind in KINDS.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One entry of a job's stream."""

    job_id: str
    position: int
    """Gapless from 1 within the stream."""
    at: datetime
    """By the clock of the process that appended it."""
    attempt: int
    """The attempt that it belongs to; 0: before the first."""
    source: Source
    body: Body
    version: int = EVENT_VERSION

    @property
    def type(self) -> str:
        """The name of the kind, as written in the log: `JobCanceled`."""
        return type(self.body).__name__


def to_document(event: Event) -> dict[str, Any]:
    """Return the event as JSON values; the shape is the same in the log, in the API and in exports.

    Shapes: `{job_id, position, type, at, attempt, source, data, version}`.
    """
    return {
        "job_id": event.job_id,
        "position": event.position,
        "type": event.type,
        "at": event.at.isoformat(),
        "attempt": event.attempt,
        "source": event.source,
        "data": body_to_document(event.body),
        "version": event.version,
    }


def from_document(document: Mapping[str, Any]) -> Event:
    """Read an event that `to_document` returned.

    Shapes: a store whose numbers are doubles adds `exact`, the data as JSON text, which takes precedence over `data`.
    Errors: ValueError, with the kind's name, if this version does not know the kind.
    """
    return Event(
        job_id=document["job_id"],
        position=document["position"],
        at=datetime.fromisoformat(document["at"]),
        attempt=document["attempt"],
        source=document["source"],
        body=(
            body_from_json(document["type"], document["exact"])
            if "exact" in document
            else body_from_document(document["type"], document["data"])
        ),
        version=document["version"],
    )


def body_to_document(body: Body) -> dict[str, Any]:
    """Return an event's own fields as JSON values."""
    document: dict[str, Any] = _ADAPTERS[type(body).__name__].dump_python(body, mode="json")
    return document


def body_to_json(body: Body) -> str:
    """Return an event's own fields as JSON text."""
    return _ADAPTERS[type(body).__name__].dump_json(body).decode()


def body_from_document(kind: str, document: Mapping[str, Any]) -> Body:
    """Read an event's own fields; see `from_document`."""
    return _adapter(kind).validate_python(document)


def body_from_json(kind: str, text: str | bytes) -> Body:
    """Read an event's own fields from JSON text; see `from_document`."""
    return _adapter(kind).validate_json(text)


def _adapter(kind: str) -> TypeAdapter[Body]:
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        raise ValueError(f"the log holds an event of kind {kind!r}, which this version of Mayfly does not know")
    return adapter
