"""The OpenAPI 3.1 description of the HTTP API, made from the models that check the requests."""

from typing import Any

from pydantic.json_schema import models_json_schema

from mayfly.jobs.lifecycle import STATES
from mayfly.jobs.spec import JobSpec
from mayfly.use_cases.clear import CLEAR_STEP_S
from mayfly.use_cases.receive_report import Finished, Progress, Started

_KEY: list[dict[str, list[str]]] = [{"functionKey": []}, {"functionKeyQuery": []}]
_PROBLEMS = {400: "no JSON", 404: "no such job", 413: "too large", 415: "not JSON", 422: "wrong, field by field"}


def document(*, server: str) -> dict[str, Any]:
    """Return the description, with this server's address."""
    _, schemas = models_json_schema(
        [(model, "validation") for model in (JobSpec, Started, Progress, Finished)],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mayfly", "version": "0.1.0", "description": "One job, one container, one log."},
        "servers": [{"url": server}],
        "paths": _paths(),
        "components": {
            "schemas": {**_with_closed_names(schemas["$defs"]), **_answers()},
            "securitySchemes": {
                "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "functionKeyQuery": {"type": "apiKey", "in": "query", "name": "code"},
                "reportToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def _with_closed_names(schemas: dict[str, Any]) -> dict[str, Any]:
    """Refuse the names that match no pattern: a schema of patterns alone says nothing about them."""
    for schema in schemas.values():
        for described in schema.get("properties", {}).values():
            if "patternProperties" in described:
                described["additionalProperties"] = False
    return schemas


def _paths() -> dict[str, Any]:
    spec = _body("JobSpec")
    key = _header("Idempotency-Key", "The same key again answers with the same job.")
    attempt = _query("attempt", {"type": "integer", "minimum": 1, "maximum": 10_000}, "Default: the latest.")
    after = _query("after", {"type": "integer", "minimum": 0, "maximum": 2**31}, "Only later positions.")
    mark = _query("after", {"type": "string", "pattern": r"^\d{1,9}-[0-9a-f]{16}$"}, "Only what came after this mark.")
    going_on = _query("cursor", {"type": "string"}, "From the answer before; null in it: that was the last.")
    far = _query("after", {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}, "Only later global positions.")
    limit = _query("limit", {"type": "integer", "minimum": 1, "maximum": 1_000}, "How many at most.")
    job = "/api/jobs/{job_id}"
    return {
        "/api/jobs": {
            "post": _operation("start_job", "Start a job", 202, "Accepted", body=spec, parameters=[key]),
            "get": _operation("list_jobs", "List jobs, newest first", 200, "JobPage", parameters=_filters()),
        },
        job: {"get": _operation("show_job", "Show a job", 200, "Job", job=True)},
        f"{job}/events": {
            "get": _operation("list_job_events", "A job's stream", 200, "Events", job=True, parameters=[after, limit])
        },
        f"{job}/logs": {
            "get": _operation(
                "show_job_logs", "What an attempt printed", 200, "Output", job=True, parameters=[attempt, mark]
            )
        },
        f"{job}/metrics": {
            "get": _operation(
                "show_job_metrics", "What an attempt used", 200, "Readings", job=True, parameters=[attempt]
            )
        },
        f"{job}/cancel": {
            "post": _operation(
                "cancel_job", "Cancel a job", 202, "Standing", job=True, body=_body("Reason", required=False)
            )
        },
        f"{job}/archive": {
            "post": _operation("archive_job", "Hide a job that is over", 202, "Standing", job=True, refusals=(409,))
        },
        "/api/jobs/clear": {
            "post": _operation(
                "clear_jobs",
                f"Cancel what runs, archive what ended, {CLEAR_STEP_S:g} s at a time",
                202,
                "Cleared",
                parameters=[going_on],
            )
        },
        "/api/plan": {"post": _operation("plan_job", "What a job would become", 200, "Plan", body=spec)},
        "/api/events": {"get": _operation("list_all_events", "The whole log", 200, "Events", parameters=[far, limit])},
        "/api/intake": {
            "get": _operation("list_refusals", "Messages that were refused", 200, "Refusals", parameters=[limit])
        },
        f"{job}/reports": {"post": _report()},
        "/api/health": {"get": {**_operation("health", "Is it well", 200, "Health", refusals=(503,)), "security": []}},
        "/api/openapi.json": {"get": {**_operation("openapi", "This document", 200, "Any"), "security": []}},
    }


def _operation(
    name: str,
    summary: str,
    status: int,
    schema: str,
    *,
    job: bool = False,
    body: dict[str, Any] | None = None,
    parameters: list[dict[str, Any]] | None = None,
    refusals: tuple[int, ...] = (),
) -> dict[str, Any]:
    path = {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string"}}
    answers: dict[str, Any] = {str(status): {"description": summary, "content": _json(schema)}}
    answers["401"] = {"description": "the key is missing or wrong"}
    for code in (400, 404, 413, 415, 422, *refusals):
        text = _PROBLEMS.get(code, "see the title")
        content = {"application/problem+json": {"schema": _ref("Problem")}}
        answers[str(code)] = {"description": text, "content": content}
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "security": _KEY,
        "parameters": ([path] if job else []) + (parameters or []),
        "responses": answers,
    }
    return {**operation, "requestBody": body} if body else operation


def _report() -> dict[str, Any]:
    operation = _operation("take_report", "A worker's report", 202, "Received", job=True, refusals=(403, 409, 410))
    kinds = [_ref("Started"), _ref("Progress"), _ref("Finished")]
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": {"oneOf": kinds}}}}
    operation["responses"]["200"] = {"description": "Seen before", "content": _json("Received")}
    return {**operation, "security": [{"reportToken": []}]}


def _filters() -> list[dict[str, Any]]:
    moment = {"type": "string", "format": "date-time"}
    return [
        _query("state", {"type": "string"}, f"With commas between them: {', '.join(STATES)}."),
        _query(
            "label",
            {"type": "string"},
            "NAME=VALUE, with commas between several; in double quotes where a value has a comma.",
        ),
        _query("name", {"type": "string", "maxLength": 64}, "Part of the job id."),
        _query("after", moment, "Submitted after."),
        _query("before", moment, "Submitted before."),
        _query("archived", {"type": "boolean"}, "The archived ones too."),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": 200}, "Page size."),
        _query("cursor", {"type": "string"}, "From the page before."),
    ]


def _answers() -> dict[str, Any]:
    text, number = {"type": "string"}, {"type": "number"}
    state = {"type": "string", "enum": list(STATES)}
    links = {"type": "object", "additionalProperties": text}
    mistake = _object(field=text, message=text)
    sample = _object(at=text, cpu_cores=number, memory_bytes={"type": "integer"})
    return {
        "Any": {"type": "object"},
        "Health": _object(status=text),
        "Accepted": _object(job_id=text, state=state, links=links),
        "Standing": _object(job_id=text, state=state, archived={"type": "boolean"}, links=links),
        "Cleared": _object(
            canceled={"type": "integer"}, archived={"type": "integer"}, cursor={"type": ["string", "null"]}
        ),
        "Job": {"type": "object", "required": ["job_id", "state", "position", "spec", "attempts"]},
        "JobPage": _object(jobs={"type": "array", "items": _ref("Job")}, cursor={"type": ["string", "null"]}),
        "Event": {"type": "object", "required": ["job_id", "position", "type", "at", "attempt", "source", "data"]},
        "Events": {
            "type": "object",
            "required": ["events"],
            "properties": {"events": {"type": "array", "items": _ref("Event")}},
        },
        "Output": _object(
            attempt={"type": "integer"},
            source=text,
            text=text,
            truncated={"type": "boolean"},
            begin={"type": "integer", "description": "Characters before this text; 0 where it is whole."},
            mark={**text, "description": "Of the output's end: give it back as `after`."},
        ),
        "Readings": _object(attempt={"type": "integer"}, source=text, samples={"type": "array", "items": sample}),
        "Refusals": _object(refusals={"type": "array", "items": {"type": "object"}}),
        "Plan": {"type": "object", "required": ["spec", "place", "price", "obstacles", "warnings"]},
        "Received": _object(verdict={"type": "string", "enum": ["accept", "seen"]}),
        "Reason": {
            "type": "object",
            "properties": {"reason": {"type": ["string", "null"], "maxLength": 500}},
            "additionalProperties": False,
        },
        "Problem": _object(
            type=text,
            title=text,
            status={"type": "integer"},
            detail=text,
            errors={"type": "array", "items": mistake},
        ),
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _body(schema: str, *, required: bool = True) -> dict[str, Any]:
    return {"required": required, "content": _json(schema)}


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": _ref(schema)}}


def _ref(schema: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{schema}"}


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": {"type": "string", "maxLength": 255}, "description": description}
