"""HTTP responses: JSON, and problem documents (RFC 9457) that name the field and the fix."""

import functools
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec

import azure.functions as func

from mayfly.errors import FieldError, NotFound, Rejected, TryAgain
from mayfly.jobs.names import is_job_id
from mayfly.validation import printable, shown, suggestion
from triggers.bodies import Problem

P = ParamSpec("P")

_logger = logging.getLogger("triggers")


def answer(document: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> func.HttpResponse:
    """Return a JSON response."""
    body = json.dumps(document, separators=(",", ":")) + "\n"  # so that a shell's prompt starts on a new line
    return func.HttpResponse(body, status_code=status, headers=headers, mimetype="application/json", charset="utf-8")


def problem(
    title: str, *, status: int, errors: tuple[FieldError, ...] = (), headers: dict[str, str] | None = None
) -> func.HttpResponse:
    """Return a problem document. Source: RFC 9457."""
    document = Problem(
        type="about:blank",
        title=title,
        status=status,
        detail="; ".join(f"{error.field}: {error.message}" for error in errors) or title,
        errors=[{"field": error.field, "message": error.message} for error in errors],
    )
    body = json.dumps(document, ensure_ascii=False) + "\n"
    return func.HttpResponse(
        body, status_code=status, headers=headers, mimetype="application/problem+json", charset="utf-8"
    )


def answering(
    handler: Callable[P, Awaitable[func.HttpResponse]],
) -> Callable[P, Awaitable[func.HttpResponse]]:
    """Turn a rejection by a use case into a problem document, and any other exception into a 500."""

    @functools.wraps(handler)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> func.HttpResponse:
        try:
            return await handler(*args, **kwargs)
        except Rejected as error:
            headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
            return problem(error.title, status=error.status, errors=error.errors, headers=headers)
        except TryAgain as error:
            _logger.warning("%s", error)
            return problem("storage is temporarily unavailable; retry", status=503, headers={"Retry-After": "2"})
        except Exception:
            _logger.exception("a request failed")
            return problem("internal error; see the server log", status=500)

    return wrapped


def job_id_of(request: func.HttpRequest) -> str:
    """Return the job id in the path.

    Errors: `NotFound` for text that cannot be a job id, so that none of it reaches a store.
    """
    job_id: str = request.route_params.get("job_id", "")
    if not is_job_id(job_id):
        raise NotFound(job_id[:64])
    return job_id


def queries_of(request: func.HttpRequest, *known: str) -> dict[str, str]:
    """Return the query parameters.

    Errors: `Rejected` (422) for an unknown one; `code` carries the function key.
    """
    for name in request.params:
        if name not in known and name != "code":
            hint = suggestion(name, known) if known else "this endpoint takes none"
            raise invalid_query(printable(name, 40), f"unknown parameter; {hint}")
    return {name: value for name, value in request.params.items() if name in known}


def number_of(queries: dict[str, str], name: str, *, default: int, low: int, high: int) -> int:
    """Return a whole number from the query.

    Errors: `Rejected` (422) for any other text, or a number out of range.
    """
    text = queries.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and low <= int(text) <= high):
        raise invalid_query(name, f"must be a whole number between {low} and {high} (got {shown(text)})")
    return int(text)


def invalid_query(name: str, message: str) -> Rejected:
    """Return the rejection of a query parameter."""
    return Rejected("invalid query parameter", [FieldError(field=f"query.{name}", message=message)])
