"""The JSON bodies and the limits of the HTTP API. The types describe the bodies in the OpenAPI document.

A handler builds a body as a dictionary, and the type checker compares it with its type here.
"""

from typing import Annotated, Any, Literal, NotRequired, Union

from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema
from typing_extensions import TypeAliasType, TypedDict  # pydantic requires these on Python 3.11

from mayfly.containers.runtime import MetricSample
from mayfly.errors import FieldError
from mayfly.intake.intake_record import RejectedMessage
from mayfly.jobs.events import KINDS, Source
from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import JobState
from mayfly.jobs.spec import JobSpec
from mayfly.use_cases.read import TraceSource

REASON_CHARS_MAX = 500

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
AttemptNumber = Annotated[int, Field(description="From 1; 0 before the first attempt.")]


class CancelRequest(BaseModel):
    """Why a job is canceled."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    reason: str | None = Field(default=None, max_length=REASON_CHARS_MAX, description="Reason, for people.")


class Links(TypedDict):
    """The addresses of a job."""

    self: str
    events: str
    logs: str
    metrics: str
    cancel: str


class Accepted(TypedDict):
    """A submitted job."""

    job_id: str
    state: JobState
    links: Links


class JobStatus(Accepted):
    """The state of a job after a request to change it."""

    archived: bool


def _shaped_like(shape: Any) -> GetPydanticSchema:
    """Describe JSON values by the type that they were serialized from."""
    return GetPydanticSchema(lambda _source, handler: handler(shape))


JobDocument = Annotated[dict[str, Any], _shaped_like(Job)]
SpecDocument = Annotated[dict[str, Any], _shaped_like(JobSpec)]


class JobPage(TypedDict):
    """Jobs, newest first."""

    jobs: list[JobDocument]
    cursor: Annotated[str | None, Field(description="`cursor` of the next request; null: this was the last page.")]


def _event(name: str, body: type) -> Any:
    """Return the type of one kind of event, as `mayfly.jobs.events.to_document` writes it."""
    fields = {
        "job_id": str,
        "position": Annotated[int, Field(description="Gapless from 1 within the job.")],
        "type": Literal[name],
        "at": Time,
        "attempt": AttemptNumber,
        "source": Source,
        "data": body,
        "version": int,
        "global_position": NotRequired[
            Annotated[int, Field(description="Orders the whole log, with gaps. Only in the whole log.")]
        ],
    }
    event: Any = TypedDict(f"{name}Event", fields)  # type: ignore[misc]
    event.__doc__ = body.__doc__
    return event


_EVENTS: Any = tuple(_event(name, body) for name, body in KINDS.items())
Event = TypeAliasType("Event", Annotated[Union[_EVENTS], Field(discriminator="type")])  # noqa: UP007
EventDocument = Annotated[dict[str, Any], _shaped_like(Event)]


class JobEvents(TypedDict):
    """Events of one job, oldest first."""

    events: list[EventDocument]


class LogPage(TypedDict):
    """Events of all jobs, oldest first."""

    events: list[EventDocument]
    next: Annotated[int, Field(description="`after` of the next request.")]


class Logs(TypedDict):
    """The output of an attempt."""

    attempt: AttemptNumber
    source: TraceSource
    text: str
    truncated: Annotated[bool, Field(description="True: earlier output is no longer available.")]
    begin: Annotated[int, Field(description="Number of characters before this text.")]
    mark: Annotated[str, Field(description="`after` of the next request, to get only newer output.")]


class Metrics(TypedDict):
    """The CPU and memory use of an attempt, oldest sample first."""

    attempt: AttemptNumber
    source: TraceSource
    samples: list[MetricSample]


class Price(TypedDict):
    """An estimate from list prices."""

    currency: Literal["USD"]
    per_hour: float
    at_most: Annotated[float, Field(description="If every attempt runs until its deadline.")]


class Plan(TypedDict):
    """The job that a spec would become."""

    spec: SpecDocument
    place: str
    price: Price
    obstacles: Annotated[list[str], Field(description="Everything that would keep the job from starting.")]
    warnings: Annotated[list[str], Field(description="Everything that the job requests and would not get.")]


class RejectedMessages(TypedDict):
    """Rejected queue messages, newest first."""

    refusals: list[RejectedMessage]


class Received(TypedDict):
    """The verdict on a report."""

    verdict: Annotated[Literal["accept", "seen"], Field(description="`seen`: the same report was accepted before.")]


class Health(TypedDict):
    """The health of the function app."""

    status: Literal["ok"]


class Problem(TypedDict):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError]
