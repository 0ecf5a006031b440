"""The operations of the HTTP API, as the OpenAPI document describes them."""

from dataclasses import dataclass
from typing import Any

from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import STATES
from mayfly.jobs.spec import JobSpec
from mayfly.use_cases.clear import CLEAR_STEP_S
from mayfly.use_cases.receive_report import Report
from mayfly.use_cases.submit import KEY_CHARS_MAX
from mayfly.views.job_views import PAGE_MAX
from triggers import bodies as b
from triggers.schemas import Schema

TAGS = {
    "jobs": "Submit, list, follow and change jobs.",
    "log": "The log of all events, and the rejected queue messages.",
    "worker": "The reports of workers.",
    "service": "The function app itself.",
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path."""

    name: str
    """As the function is called."""
    tag: str
    """A key of `TAGS`."""
    summary: str
    description: str
    returns: Any
    """Type of the response body."""
    status: int = 200
    accepts: Any = None
    """Type of the request body; None: there is none."""
    optional_body: bool = False
    parameters: tuple[Schema, ...] = ()
    problems: tuple[int, ...] = ()
    """Status codes in addition to those of every operation."""
    security: tuple[str, ...] = ("functionKey", "functionKeyQuery")
    """Names of security schemes, any of which is enough; empty: public."""


def _query(name: str, description: str, **schema: Any) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _limit(high: int, default: int) -> Schema:
    return _query("limit", "Maximum number of entries.", type="integer", minimum=1, maximum=high, default=default)


def _after(what: str, high: int) -> Schema:
    return _query(
        "after", f"Return only entries after this {what}.", type="integer", minimum=0, maximum=high, default=0
    )


def _time(name: str, description: str) -> Schema:
    return _query(name, description, type="string", format="date-time")


_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Submitting again with the same key and spec returns the same job.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX},
}
_CURSOR = _query("cursor", "`cursor` of the previous response.", type="string")
_ATTEMPT = _query(
    "attempt", "Number of the attempt; the latest by default.", type="integer", minimum=1, maximum=b.ATTEMPT_MAX
)
_MARK = _query("after", "`mark` of an earlier response.", type="string", pattern=r"^\d{1,9}-[0-9a-f]{16}$")
_FILTER = (
    _query("state", f"States, separated by commas: {', '.join(STATES)}.", type="string"),
    _query("label", "Labels NAME=VALUE, separated by commas. Put a value that has a comma in quotes.", type="string"),
    _query("name", "Part of the job id.", type="string", maxLength=b.NAME_CHARS_MAX),
    _time("after", "Return only jobs submitted after this time."),
    _time("before", "Return only jobs submitted before this time."),
    _query("archived", "Include archived jobs.", type="boolean", default=False),
)

_JOB = "/api/jobs/{job_id}"

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("post", "/api/jobs"): Operation(
        name="start_job",
        tag="jobs",
        summary="Submit a job",
        description="Returns as soon as the job is in the log. Its container starts as capacity allows.",
        accepts=JobSpec,
        parameters=(_KEY,),
        status=202,
        returns=b.Accepted,
    ),
    ("get", "/api/jobs"): Operation(
        name="list_jobs",
        tag="jobs",
        summary="List jobs",
        description="Newest first. The list may lag the log for a moment.",
        parameters=(*_FILTER, _limit(PAGE_MAX, 50), _CURSOR),
        returns=b.JobPage,
    ),
    ("get", _JOB): Operation(
        name="show_job",
        tag="jobs",
        summary="Show a job",
        description="Spec, state, attempts and result, including the latest event.",
        returns=Job,
    ),
    ("get", f"{_JOB}/events"): Operation(
        name="list_job_events",
        tag="jobs",
        summary="List the events of a job",
        description="Oldest first. To follow a job, pass the last position as `after`.",
        parameters=(_after("position", b.POSITION_MAX), _limit(b.EVENTS_MAX, b.EVENTS_MAX)),
        returns=b.JobEvents,
    ),
    ("get", f"{_JOB}/logs"): Operation(
        name="show_job_logs",
        tag="jobs",
        summary="Show the output of an attempt",
        description="From the container while it exists, then from the log. For `Accept: text/plain`, only the text.",
        parameters=(_ATTEMPT, _MARK),
        returns=b.Logs,
    ),
    ("get", f"{_JOB}/metrics"): Operation(
        name="show_job_metrics",
        tag="jobs",
        summary="Show the CPU and memory use of an attempt",
        description="From the platform while the container exists, and from the log afterwards.",
        parameters=(_ATTEMPT,),
        returns=b.Metrics,
    ),
    ("post", f"{_JOB}/cancel"): Operation(
        name="cancel_job",
        tag="jobs",
        summary="Cancel a job",
        description="Its container is deleted. A finished job is left unchanged.",
        accepts=b.CancelRequest,
        optional_body=True,
        status=202,
        returns=b.JobStatus,
    ),
    ("post", f"{_JOB}/archive"): Operation(
        name="archive_job",
        tag="jobs",
        summary="Archive a finished job",
        description="Hides the job from lists. Nothing is erased.",
        status=202,
        returns=b.JobStatus,
        problems=(409,),
    ),
    ("post", "/api/jobs/clear"): Operation(
        name="clear_jobs",
        tag="jobs",
        summary="Cancel running jobs and archive finished ones",
        description=f"Returns after {CLEAR_STEP_S:g} seconds at most; repeat with `cursor` until it is null.",
        parameters=(_CURSOR,),
        status=202,
        returns=b.Cleared,
    ),
    ("post", "/api/plan"): Operation(
        name="plan_job",
        tag="jobs",
        summary="Dry run of a job",
        description="Returns the resolved spec, its price, and anything that would block the job. Creates nothing.",
        accepts=JobSpec,
        returns=b.Plan,
    ),
    ("get", "/api/events"): Operation(
        name="list_all_events",
        tag="log",
        summary="List the events of all jobs",
        description="The whole log, oldest first. It is complete, but very recent events may be missing for a moment.",
        parameters=(_after("global position", b.GLOBAL_POSITION_MAX), _limit(b.EVENTS_MAX, b.EVENTS_MAX)),
        returns=b.LogPage,
    ),
    ("get", "/api/intake"): Operation(
        name="list_refusals",
        tag="log",
        summary="List rejected queue messages",
        description="Messages that are not valid jobs, newest first, with the reason.",
        parameters=(_limit(b.REJECTED_MAX, 100),),
        returns=b.RejectedMessages,
    ),
    ("post", f"{_JOB}/reports"): Operation(
        name="take_report",
        tag="worker",
        summary="Report from a worker",
        description="The claim, progress, or the outcome of an attempt. See docs/worker-contract.md.",
        accepts=Report,
        status=202,
        returns=b.Received,
        problems=(403, 409, 410),
        security=("reportToken",),
    ),
    ("get", "/api/health"): Operation(
        name="health",
        tag="service",
        summary="Check the health of the service",
        description="200 if the log and the views answer.",
        returns=b.Health,
        security=(),
    ),
    ("get", "/api/openapi.json"): Operation(
        name="openapi",
        tag="service",
        summary="Describe the API",
        description="This document.",
        returns=dict[str, Any],
        security=(),
    ),
}
