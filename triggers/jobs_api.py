"""The HTTP API for users: submit, list, show, events, logs, metrics, cancel, archive, clear, plan."""

import functools
from datetime import UTC, datetime

import azure.durable_functions as df
import azure.functions as func

from mayfly import composition
from mayfly.containers.runtime import MetricSample
from mayfly.errors import FieldError, Rejected
from mayfly.jobs import events as e
from mayfly.jobs.job import Job, to_document
from mayfly.jobs.lifecycle import STATES, JobState
from mayfly.jobs.spec import JobSpec
from mayfly.use_cases.archive import archive
from mayfly.use_cases.cancel import cancel
from mayfly.use_cases.clear import Cleared, clear
from mayfly.use_cases.plan import plan
from mayfly.use_cases.read import Reader
from mayfly.use_cases.submit import KEY_CHARS_MAX, parse_spec, submit
from mayfly.validation import suggestion, validated
from mayfly.views.job_views import PAGE_MAX, JobFilter
from mayfly.views.label_text import parse_labels
from triggers import bodies as b
from triggers.answers import (
    answer,
    blamed_on,
    body_of,
    invalid_query,
    job_id_of,
    number_of,
    optional_number_of,
    query_of,
)
from triggers.durable import DurableOrchestrators
from triggers.log_cursor import cursor_at_end, resume_offset
from triggers.operations import after, limit, operation, query
from triggers.schemas import Schema

jobs_api = df.Blueprint()
_operation = functools.partial(operation, blueprint=jobs_api, tag="jobs")

_SOURCES: dict[str, e.Source] = {"cli": "cli", "dashboard": "dashboard"}
_NAME_CHARS_MAX = 64

_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Submitting again with the same key and spec returns the same job.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX},
}
_FILTER = (
    query("state", f"States, separated by commas: {', '.join(STATES)}.", type="string"),
    query("label", "Labels NAME=VALUE, separated by commas. Put a value that has a comma in quotes.", type="string"),
    query("name", "Part of the job id.", type="string", maxLength=_NAME_CHARS_MAX),
    query("after", "Return only jobs submitted after this time.", type="string", format="date-time"),
    query("before", "Return only jobs submitted before this time.", type="string", format="date-time"),
    query("archived", "Include archived jobs.", type="boolean", default=False),
)
_JOBS = limit(PAGE_MAX, 50)
_EVENTS = limit(1_000, 1_000)
_CURSOR = query("cursor", "`cursor` of the previous response.", type="string")
_POSITION = after("position", 2**31)
_GLOBAL_POSITION = after("global position", 2**63 - 1)
_ATTEMPT = query("attempt", "Number of the attempt; the latest by default.", type="integer", minimum=1, maximum=10_000)
_MARK = query("after", "`mark` of an earlier response.", type="string", pattern=r"^\d{1,9}-[0-9a-f]{16}$")


@_operation("POST", "jobs", accepts=JobSpec, parameters=(_KEY,), status=202, returns=b.Accepted)
async def start_job(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Submit a job. Returns as soon as the job is in the log. Its container starts as capacity allows."""
    submission = await submit(
        composition.current(),
        DurableOrchestrators(client),
        parse_spec(body_of(req)),
        source=_source(req),
        idempotency_key=req.headers.get("idempotency-key"),
    )
    job, links = submission.job, _links(req, submission.job.job_id)
    headers = {"Location": links["self"]}
    if not submission.created:
        headers["Idempotency-Replayed"] = "true"
    return answer(b.Accepted(job_id=job.job_id, state=job.state, links=links), status=202, headers=headers)


@_operation("GET", "jobs", parameters=(*_FILTER, _JOBS, _CURSOR), returns=b.JobPage)
async def list_jobs(req: func.HttpRequest) -> func.HttpResponse:
    """List jobs. Newest first. The list may lag the log for a moment."""
    reader, job_filter, count = Reader(composition.current()), _filter(req), number_of(req, _JOBS)
    with blamed_on(req, "cursor"):
        page = await reader.page(job_filter, limit=count, cursor=req.params.get("cursor"))
    return answer(b.JobPage(jobs=[to_document(job) for job in page.jobs], cursor=page.cursor))


@_operation("GET", "jobs/{job_id}", returns=Job)
async def show_job(req: func.HttpRequest) -> func.HttpResponse:
    """Show a job. Spec, state, attempts and result, including the latest event."""
    job = await Reader(composition.current()).job(job_id_of(req))
    return answer({**to_document(job), "links": _links(req, job.job_id)})


@_operation("GET", "jobs/{job_id}/events", parameters=(_POSITION, _EVENTS), returns=b.JobEvents)
async def list_job_events(req: func.HttpRequest) -> func.HttpResponse:
    """List the events of a job. Oldest first. To follow a job, pass the last position as `after`."""
    begin, count = number_of(req, _POSITION), number_of(req, _EVENTS)
    found = await Reader(composition.current()).events(job_id_of(req), after=begin, limit=count)
    return answer(b.JobEvents(events=[e.to_document(event) for event in found]))


@_operation("GET", "events", tag="log", parameters=(_GLOBAL_POSITION, _EVENTS), returns=b.LogPage)
async def list_all_events(req: func.HttpRequest) -> func.HttpResponse:
    """List the events of all jobs. The whole log, oldest first. It is complete, but very recent events may be missing
    for a moment.
    """
    begin, count = number_of(req, _GLOBAL_POSITION), number_of(req, _EVENTS)
    found = await composition.current().log.read_all(after=begin, limit=count)
    documents = [{"global_position": one.global_position, **e.to_document(one.event)} for one in found]
    return answer(b.LogPage(events=documents, next=found[-1].global_position if found else begin))


@_operation("GET", "jobs/{job_id}/logs", parameters=(_ATTEMPT, _MARK), returns=b.Logs)
async def show_job_logs(req: func.HttpRequest) -> func.HttpResponse:
    """Show the output of an attempt. From the container while it exists, then from the log. For `Accept: text/plain`,
    only the text.
    """
    attempt = optional_number_of(req, _ATTEMPT)
    output = await Reader(composition.current()).output(job_id_of(req), attempt=attempt)
    begin = query_of(req, "after", functools.partial(resume_offset, output.text), 0)
    if "text/plain" in req.headers.get("accept", ""):
        return func.HttpResponse(output.text[begin:], mimetype="text/plain", charset="utf-8")
    return answer(
        b.Logs(
            attempt=output.attempt,
            source=output.source,
            text=output.text[begin:],
            truncated=output.truncated,
            begin=begin,
            mark=cursor_at_end(output.text),
        )
    )


@_operation("GET", "jobs/{job_id}/metrics", parameters=(_ATTEMPT,), returns=b.Metrics)
async def show_job_metrics(req: func.HttpRequest) -> func.HttpResponse:
    """Show the CPU and memory use of an attempt. From the platform while the container exists, and from the log
    afterwards.
    """
    attempt = optional_number_of(req, _ATTEMPT)
    readings = await Reader(composition.current()).readings(job_id_of(req), attempt=attempt)
    samples = [MetricSample(at=at, cpu_cores=cores, memory_bytes=size) for at, cores, size in readings.samples]
    return answer(b.Metrics(attempt=readings.attempt, source=readings.source, samples=samples))


@_operation(
    "POST", "jobs/{job_id}/cancel", accepts=b.CancelRequest, optional_body=True, status=202, returns=b.JobStatus
)
async def cancel_job(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Cancel a job. Its container is deleted. A finished job is left unchanged."""
    job_id = job_id_of(req)
    request = validated(b.CancelRequest, body_of(req) if req.get_body() else {}, title="invalid request body")
    job = await cancel(
        composition.current(), DurableOrchestrators(client), job_id, source=_source(req), reason=request.reason
    )
    return answer(_status(req, job), status=202)


@_operation("POST", "jobs/{job_id}/archive", status=202, returns=b.JobStatus, problems=(409,))
async def archive_job(req: func.HttpRequest) -> func.HttpResponse:
    """Archive a finished job. Hides the job from lists. Nothing is erased."""
    job = await archive(composition.current(), job_id_of(req), source=_source(req))
    if not job.archived:
        message = f"is still {job.state}: cancel it first, or wait until it ends"
        raise Rejected("job not finished", [FieldError(field="job_id", message=message)], status=409)
    return answer(_status(req, job), status=202)


@_operation("POST", "jobs/clear", parameters=(_CURSOR,), status=202, returns=Cleared)
async def clear_jobs(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Cancel running jobs and archive finished ones. Returns after 3 seconds at most; repeat with `cursor` until it is
    null.
    """
    cursor = req.params.get("cursor")
    with blamed_on(req, "cursor"):
        cleared = await clear(composition.current(), DurableOrchestrators(client), source=_source(req), cursor=cursor)
    return answer(cleared, status=202)


@_operation("POST", "plan", accepts=JobSpec, returns=b.Plan)
async def plan_job(req: func.HttpRequest) -> func.HttpResponse:
    """Dry run of a job. Returns the resolved spec, its price, and anything that would block the job. Creates
    nothing.
    """
    planned = await plan(composition.current(), parse_spec(body_of(req)))
    return answer(
        b.Plan(
            spec=planned.spec.model_dump(mode="json"),
            place=planned.place,
            price={"currency": "USD", "per_hour": planned.price_per_hour, "at_most": planned.price_at_most},
            obstacles=[*planned.obstacles],
            warnings=[*planned.warnings],
        )
    )


def _links(req: func.HttpRequest, job_id: str) -> b.Links:
    job = f"{req.url.partition('/api/')[0]}/api/jobs/{job_id}"
    return b.Links(
        self=job, events=f"{job}/events", logs=f"{job}/logs", metrics=f"{job}/metrics", cancel=f"{job}/cancel"
    )


def _status(req: func.HttpRequest, job: Job) -> b.JobStatus:
    return {"job_id": job.job_id, "state": job.state, "archived": job.archived, "links": _links(req, job.job_id)}


def _source(req: func.HttpRequest) -> e.Source:
    """Return the source of a request: the CLI and the dashboard identify themselves; any other is `http`."""
    return _SOURCES.get(req.headers.get("x-mayfly-source", ""), "http")


def _filter(req: func.HttpRequest) -> JobFilter:
    name = req.params.get("name")
    if name is not None and len(name) > _NAME_CHARS_MAX:
        raise invalid_query("name", f"must have at most {_NAME_CHARS_MAX} characters (got {len(name)})")
    return JobFilter(
        states=query_of(req, "state", _states, None),
        labels=query_of(req, "label", parse_labels, {}),
        name_contains=name,
        submitted_after=query_of(req, "after", _time, None),
        submitted_before=query_of(req, "before", _time, None),
        archived=query_of(req, "archived", _flag, False),
    )


def _states(text: str) -> frozenset[JobState]:
    given = text.split(",")
    for state in given:
        if state not in STATES:
            raise ValueError(f"must be states, separated by commas; {suggestion(state, STATES)}")
    return frozenset(state for state in STATES if state in given)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z") from error


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"
