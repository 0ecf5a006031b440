"""The HTTP API for users: submit, list, show, events, logs, metrics, cancel, archive, clear, plan."""

import json
from datetime import UTC, datetime

import azure.durable_functions as df
import azure.functions as func

from mayfly import composition
from mayfly.errors import FieldError, Rejected
from mayfly.jobs import events as e
from mayfly.jobs.job import Job, to_document
from mayfly.jobs.lifecycle import STATES, JobState
from mayfly.use_cases.archive import archive
from mayfly.use_cases.cancel import cancel
from mayfly.use_cases.clear import clear
from mayfly.use_cases.plan import plan
from mayfly.use_cases.read import Reader
from mayfly.use_cases.submit import parse_spec, submit
from mayfly.validation import parse_object, shown, suggestion, validated
from mayfly.views.job_views import PAGE_MAX, JobFilter
from mayfly.views.label_text import parse_labels
from triggers import bodies as b
from triggers.answers import answer, answering, invalid_query, job_id_of, number_of, queries_of
from triggers.durable import DurableOrchestrators
from triggers.log_cursor import cursor_at_end, resume_offset

jobs_api = df.Blueprint()

_SOURCES: dict[str, e.Source] = {"cli": "cli", "dashboard": "dashboard"}


@jobs_api.route(route="jobs", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@jobs_api.durable_client_input(client_name="client")
@answering
async def start_job(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Submit a job and return 202, its `Location`, and its links."""
    queries_of(req)
    spec = parse_spec(parse_object(req.get_body(), content_type=req.headers.get("content-type")))
    submission = await submit(
        composition.current(),
        DurableOrchestrators(client),
        spec,
        source=_source(req),
        idempotency_key=req.headers.get("idempotency-key"),
    )
    job = submission.job
    headers = {"Location": f"{_base(req)}/api/jobs/{job.job_id}"}
    if not submission.created:
        headers["Idempotency-Replayed"] = "true"
    body = b.Accepted(job_id=job.job_id, state=job.state, links=_links(req, job.job_id))
    return answer(body, status=202, headers=headers)


@jobs_api.route(route="jobs", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def list_jobs(req: func.HttpRequest) -> func.HttpResponse:
    """List jobs, newest first."""
    queries = queries_of(req, "state", "label", "name", "after", "before", "archived", "limit", "cursor")
    limit = number_of(queries, "limit", default=50, low=1, high=PAGE_MAX)
    try:
        page = await Reader(composition.current()).page(_filter(queries), limit=limit, cursor=queries.get("cursor"))
    except ValueError as error:
        raise invalid_query("cursor", f"{error} (got {shown(queries['cursor'])})") from error
    return answer(b.JobPage(jobs=[to_document(job) for job in page.jobs], cursor=page.cursor))


@jobs_api.route(route="jobs/{job_id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def show_job(req: func.HttpRequest) -> func.HttpResponse:
    """Return one job: state, spec, attempts, result."""
    queries_of(req)
    job = await Reader(composition.current()).job(job_id_of(req))
    return answer({**to_document(job), "links": _links(req, job.job_id)})


@jobs_api.route(route="jobs/{job_id}/events", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def list_job_events(req: func.HttpRequest) -> func.HttpResponse:
    """Return the job's stream after a position."""
    queries = queries_of(req, "after", "limit")
    after = number_of(queries, "after", default=0, low=0, high=b.POSITION_MAX)
    limit = number_of(queries, "limit", default=b.EVENTS_MAX, low=1, high=b.EVENTS_MAX)
    found = await Reader(composition.current()).events(job_id_of(req), after=after, limit=limit)
    return answer(b.JobEvents(events=[e.to_document(event) for event in found]))


@jobs_api.route(route="events", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def list_all_events(req: func.HttpRequest) -> func.HttpResponse:
    """Return the whole log after a global position; `mayfly export` reads it."""
    queries = queries_of(req, "after", "limit")
    after = number_of(queries, "after", default=0, low=0, high=b.GLOBAL_POSITION_MAX)
    limit = number_of(queries, "limit", default=b.EVENTS_MAX, low=1, high=b.EVENTS_MAX)
    found = await composition.current().log.read_all(after=after, limit=limit)
    documents = [{"global_position": one.global_position, **e.to_document(one.event)} for one in found]
    return answer(b.LogPage(events=documents, next=found[-1].global_position if found else after))


@jobs_api.route(route="jobs/{job_id}/logs", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def show_job_logs(req: func.HttpRequest) -> func.HttpResponse:
    """Return the output of an attempt: JSON, or only the text with `Accept: text/plain`."""
    queries = queries_of(req, "attempt", "after")
    output = await Reader(composition.current()).output(job_id_of(req), attempt=_attempt(queries))
    try:
        begin = resume_offset(output.text, queries["after"]) if "after" in queries else 0
    except ValueError as error:
        raise invalid_query("after", f"{error} (got {shown(queries['after'])})") from error
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


@jobs_api.route(route="jobs/{job_id}/metrics", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def show_job_metrics(req: func.HttpRequest) -> func.HttpResponse:
    """Return the CPU and memory use of an attempt's container."""
    queries = queries_of(req, "attempt")
    readings = await Reader(composition.current()).readings(job_id_of(req), attempt=_attempt(queries))
    samples = [
        b.Sample(at=at.isoformat(), cpu_cores=cpu_cores, memory_bytes=memory_bytes)
        for at, cpu_cores, memory_bytes in readings.samples
    ]
    return answer(b.Metrics(attempt=readings.attempt, source=readings.source, samples=samples))


@jobs_api.route(route="jobs/{job_id}/cancel", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@jobs_api.durable_client_input(client_name="client")
@answering
async def cancel_job(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Cancel a job and delete its container; a finished job is left unchanged."""
    queries_of(req)
    job_id = job_id_of(req)
    reason = _reason(req)
    job = await cancel(composition.current(), DurableOrchestrators(client), job_id, source=_source(req), reason=reason)
    return answer(_status(req, job), status=202)


@jobs_api.route(route="jobs/{job_id}/archive", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def archive_job(req: func.HttpRequest) -> func.HttpResponse:
    """Hide a finished job from the lists."""
    queries_of(req)
    job = await archive(composition.current(), job_id_of(req), source=_source(req))
    if not job.archived:
        message = f"is still {job.state}: cancel it first, or wait until it ends"
        raise Rejected("job not finished", [FieldError(field="job_id", message=message)], status=409)
    return answer(_status(req, job), status=202)


@jobs_api.route(route="jobs/clear", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@jobs_api.durable_client_input(client_name="client")
@answering
async def clear_jobs(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Cancel running jobs and archive finished ones, for a few seconds at a time."""
    queries = queries_of(req, "cursor")
    try:
        cleared = await clear(
            composition.current(),
            DurableOrchestrators(client),
            source=_source(req),
            cursor=queries.get("cursor"),
        )
    except ValueError as error:
        raise invalid_query("cursor", f"{error} (got {shown(queries['cursor'])})") from error
    body = b.Cleared(canceled=cleared.canceled, archived=cleared.archived, cursor=cleared.cursor)
    return answer(body, status=202)


@jobs_api.route(route="plan", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def plan_job(req: func.HttpRequest) -> func.HttpResponse:
    """Return the plan for a spec, without creating anything."""
    queries_of(req)
    spec = parse_spec(parse_object(req.get_body(), content_type=req.headers.get("content-type")))
    planned = await plan(composition.current(), spec)
    return answer(
        b.Plan(
            spec=planned.spec.model_dump(mode="json"),
            place=planned.place,
            price={"currency": "USD", "per_hour": planned.price_per_hour, "at_most": planned.price_at_most},
            obstacles=[*planned.obstacles],
            warnings=[*planned.warnings],
        )
    )


def _base(req: func.HttpRequest) -> str:
    url: str = req.url
    return url.partition("/api/")[0]


def _links(req: func.HttpRequest, job_id: str) -> b.Links:
    job = f"{_base(req)}/api/jobs/{job_id}"
    return {
        "self": job,
        "events": f"{job}/events",
        "logs": f"{job}/logs",
        "metrics": f"{job}/metrics",
        "cancel": f"{job}/cancel",
    }


def _status(req: func.HttpRequest, job: Job) -> b.JobStatus:
    return {"job_id": job.job_id, "state": job.state, "archived": job.archived, "links": _links(req, job.job_id)}


def _source(req: func.HttpRequest) -> e.Source:
    """Return the source of a request: the CLI and the dashboard identify themselves; any other is `http`."""
    return _SOURCES.get(req.headers.get("x-mayfly-source", ""), "http")


def _attempt(queries: dict[str, str]) -> int | None:
    return number_of(queries, "attempt", default=0, low=1, high=b.ATTEMPT_MAX) or None


def _reason(req: func.HttpRequest) -> str | None:
    """Return the reason in the optional body `{"reason": text}`."""
    if not req.get_body():
        return None
    document = parse_object(req.get_body(), content_type=req.headers.get("content-type"))
    return validated(b.CancelRequest, document, title="invalid request body").reason


def _filter(queries: dict[str, str]) -> JobFilter:
    name = queries.get("name")
    if name is not None and len(name) > b.NAME_CHARS_MAX:
        raise invalid_query("name", f"must have at most {b.NAME_CHARS_MAX} characters (got {len(name)})")
    return JobFilter(
        states=_states(queries.get("state")),
        labels=_labels(queries.get("label")),
        name_contains=name,
        submitted_after=_moment(queries, "after"),
        submitted_before=_moment(queries, "before"),
        archived=_flag(queries, "archived"),
    )


def _states(text: str | None) -> frozenset[JobState] | None:
    if text is None:
        return None
    known: dict[str, JobState] = {state: state for state in STATES}
    states = text.split(",")
    for state in states:
        if state not in known:
            raise invalid_query("state", f"must be states, separated by commas; {suggestion(state, list(known))}")
    return frozenset(known[state] for state in states)


def _labels(text: str | None) -> dict[str, str]:
    if text is None:
        return {}
    try:
        return parse_labels(text)
    except ValueError as error:
        raise invalid_query("label", f"{error} (got {shown(text)})") from error


def _moment(queries: dict[str, str], name: str) -> datetime | None:
    text = queries.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid_query(name, f"must be a time such as 2026-01-31T12:00:00Z (got {shown(text)})") from error


def _flag(queries: dict[str, str], name: str) -> bool:
    text = queries.get(name, "false")
    if text not in ("true", "false"):
        raise invalid_query(name, f"must be true or false (got {shown(text)})")
    return bool(json.loads(text))
