"""HTTP answers: JSON, and problem documents (RFC 9457) that name the field and the mend."""

import functools
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec

import azure.functions as func

from mayfly.errors import FieldError, NotFound, Rejected, TryAgain
from mayfly.jobs.names import is_job_id
from mayfly.validation import printable, shown, suggestion

P = ParamSpec("P")

_logger = logging.getLogger("triggers")


def answer(document: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> func.HttpResponse:
    """Return a JSON answer."""
    body = json.dumps(document, separators=(",", ":")) + "\n"  # a shell's prompt comes on a line of its own
    return func.HttpResponse(body, status_code=status, headers=headers, mimetype="application/json", charset="utf-8")


def problem(
    title: str, *, status: int, errors: tuple[FieldError, ...] = (), headers: dict[str, str] | None = None
) -> func.HttpResponse:
    """Return a problem document: `{type, title, status, detail, errors: [{field, message}]}`. Source: RFC 9457."""
    document = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": "; ".join(f"{error.field}: {error.message}" for error in errors) or title,
        "errors": [{"field": error.field, "message": error.message} for error in errors],
    }
    body = json.dumps(document, ensure_ascii=False) + "\n"
    return func.HttpResponse(
        body, status_code=status, headers=headers, mimetype="application/problem+json", charset="utf-8"
    )


def answering(
    handler: Callable[P, Awaitable[func.HttpResponse]],
) -> Callable[P, Awaitable[func.HttpResponse]]:
    """Turn what a use case refuses into a problem document, and everything else that is raised into a 500."""

    @functools.wraps(handler)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> func.HttpResponse:
        try:
            return await handler(*args, **kwargs)
        except Rejected as error:
            headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
            return problem(error.title, status=error.status, errors=error.errors, headers=headers)
        except TryAgain as error:
            _logger.warning("%s", error)
            return problem("a store did not answer; try again", status=503, headers={"Retry-After": "2"})
        except Exception:
            _logger.exception("a request failed")
            return problem("this is a defect of Mayfly; its log has the details", status=500)

    return wrapped


def job_id_of(request: func.HttpRequest) -> str:
    """Return the job id in the path.

    Errors: `NotFound` for what cannot be one, so that no other text reaches a store.
    """
    job_id: str = request.route_params.get("job_id", "")
    if not is_job_id(job_id):
        raise NotFound(job_id[:64])
    return job_id


def queries_of(request: func.HttpRequest, *known: str) -> dict[str, str]:
    """Return the query parameters.

    Errors: `Rejected` (422) for one that is not known; `code` carries the function key.
    """
    for name in request.params:
        if name not in known and name != "code":
            message = f"is not known: {suggestion(name, known)}" if known else "is not known: there are none here"
            raise Rejected("the query is wrong", [FieldError(field=f"query.{printable(name, 40)}", message=message)])
    return {name: value for name, value in request.params.items() if name in known}


def number_of(queries: dict[str, str], name: str, *, default: int, low: int, high: int) -> int:
    """Return a whole number from the query.

    Errors: `Rejected` (422) for anything else or out of range.
    """
    text = queries.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and low <= int(text) <= high):
        message = f"must be a whole number between {low} and {high} (got {shown(text)})"
        raise Rejected("the query is wrong", [FieldError(field=f"query.{name}", message=message)])
    return int(text)
