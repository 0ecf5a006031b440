"""The OpenAPI 3.1 description of the HTTP API: its operations, with bodies that are generated from their types."""

import functools
from typing import Any

from triggers.bodies import Links, Problem
from triggers.operations import OPERATIONS, TAGS, Operation
from triggers.schemas import REFERENCE, Schemas

_PROBLEMS = {
    400: "The body is not a JSON object.",
    403: "The token belongs to another job.",
    404: "The job does not exist.",
    409: "The job or attempt is in another state; see the title.",
    410: "The attempt is over.",
    413: "The body is too large.",
    415: "The body is not `application/json`.",
    422: "The request is invalid; `errors` names each field.",
    503: "Storage is temporarily unavailable; retry.",
}
_ALWAYS = (400, 404, 413, 415, 422, 503)


def document(*, server: str) -> dict[str, Any]:
    """Return the description, with the address of this server."""
    return {**_description(), "servers": [{"url": server}]}


@functools.cache
def _description() -> dict[str, Any]:
    schemas = Schemas(
        requests=dict.fromkeys(one.accepts for one in OPERATIONS.values() if one.accepts is not None),
        responses=dict.fromkeys([*(one.returns for one in OPERATIONS.values()), Links, Problem]),
    )
    paths: dict[str, Any] = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(path, {})[method] = _described(operation, path, schemas)
    _refine(paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mayfly",
            "version": "0.1.0",
            "description": "One job, one container, one log.",
            "contact": {"name": "The operator of this function app"},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": {
                "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "functionKeyQuery": {"type": "apiKey", "in": "query", "name": "code"},
                "reportToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def _described(operation: Operation, path: str, schemas: Schemas) -> dict[str, Any]:
    content = {"application/json": {"schema": schemas.responses[operation.returns]}}
    responses: dict[str, Any] = {str(operation.status): {"description": operation.summary, "content": content}}
    if operation.security:
        responses["401"] = {"description": "The key or token is missing or invalid."}
    problem = {"application/problem+json": {"schema": schemas.responses[Problem]}}
    for code in sorted({*_ALWAYS, *operation.problems}):
        responses[str(code)] = {"description": _PROBLEMS[code], "content": problem}
    job_id = {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string"}}
    described = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "security": [{scheme: []} for scheme in operation.security],
        "parameters": [*([job_id] if "{job_id}" in path else []), *operation.parameters],
        "responses": responses,
    }
    if operation.accepts is not None:
        content = {"application/json": {"schema": schemas.requests[operation.accepts]}}
        described["requestBody"] = {"required": not operation.optional_body, "content": content}
    return described


def _refine(paths: dict[str, Any]) -> None:
    """Add the parts of single responses that no type expresses."""
    submitted = paths["/api/jobs"]["post"]["responses"]["202"]
    submitted["headers"] = {
        "Location": {"description": "Address of the job.", "schema": {"type": "string", "format": "uri"}},
        "Idempotency-Replayed": {
            "description": "`true` if the key was used before.",
            "schema": {"type": "string", "const": "true"},
        },
    }
    shown = paths["/api/jobs/{job_id}"]["get"]["responses"]["200"]["content"]["application/json"]
    links = {"type": "object", "required": ["links"], "properties": {"links": {"$ref": f"{REFERENCE}Links"}}}
    shown["schema"] = {"allOf": [shown["schema"], links]}
    logs = paths["/api/jobs/{job_id}/logs"]["get"]["responses"]["200"]["content"]
    logs["text/plain"] = {"schema": {"type": "string"}}
    reported = paths["/api/jobs/{job_id}/reports"]["post"]["responses"]
    reported["200"] = {**reported["202"], "description": "The same report was accepted before"}
