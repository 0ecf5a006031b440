"""HTTP responses: JSON, and problem documents (RFC 9457) that name the field and the fix."""

import contextlib
import dataclasses
import functools
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

import azure.functions as func

from mayfly.errors import FieldError, NotFound, Rejected, TryAgain
from mayfly.jobs.names import is_job_id
from mayfly.validation import parse_object, printable, shown, suggestion
from triggers.bodies import Problem

P = ParamSpec("P")
T = TypeVar("T")

_logger = logging.getLogger("triggers")


def answer(document: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> func.HttpResponse:
    """Return a JSON response. Times are in ISO 8601. A dataclass's field names become keys, so they never change."""
    body = json.dumps(document, separators=(",", ":"), default=_plain)
    body += "\n"  # so that a shell's prompt starts on a new line
    return func.HttpResponse(body, status_code=status, headers=headers, mimetype="application/json", charset="utf-8")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else dataclasses.asdict(value)


def problem(
    title: str, *, status: int, errors: tuple[FieldError, ...] = (), headers: dict[str, str] | None = None
) -> func.HttpResponse:
    """Return a problem document. Source: RFC 9457."""
    detail = "; ".join(f"{error.field}: {error.message}" for error in errors) or title
    document = Problem(type="about:blank", title=title, status=status, detail=detail, errors=[*errors])
    body = json.dumps(document, ensure_ascii=False, default=_plain) + "\n"
    return func.HttpResponse(
        body, status_code=status, headers=headers, mimetype="application/problem+json", charset="utf-8"
    )


def answering(handler: Callable[P, Awaitable[func.HttpResponse]]) -> Callable[P, Awaitable[func.HttpResponse]]:
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
    """Return the job id in the path. Errors: `NotFound` for any other text, so that none of it reaches a store."""
    job_id: str = request.route_params.get("job_id", "")
    if not is_job_id(job_id):
        raise NotFound(job_id[:64])
    return job_id


def body_of(request: func.HttpRequest) -> dict[str, Any]:
    """Return the JSON object in the body. Errors: `Rejected`, as in `parse_object`."""
    return parse_object(request.get_body(), content_type=request.headers.get("content-type"))


def check_queries(request: func.HttpRequest, known: Sequence[str]) -> None:
    """Check the names of query parameters; `code` has the function key. Errors: `Rejected` (422) for an unknown one."""
    for name in request.params:
        if name not in known and name != "code":
            hint = suggestion(name, known) if known else "this endpoint takes none"
            raise invalid_query(printable(name, 40), f"unknown parameter; {hint}")


def query_of(request: func.HttpRequest, name: str, read: Callable[[str], T], default: T) -> T:
    """Return a query parameter as `read` returns it. Errors: `Rejected` (422), with the text of a ValueError."""
    text = request.params.get(name)
    if text is None:
        return default
    with blamed_on(request, name):
        return read(text)


def number_of(request: func.HttpRequest, parameter: Mapping[str, Any]) -> int:
    """Return a query parameter that is a whole number, or its default. Errors: `Rejected` (422) if out of range."""
    number = optional_number_of(request, parameter)
    return int(parameter["schema"]["default"]) if number is None else number


def optional_number_of(request: func.HttpRequest, parameter: Mapping[str, Any]) -> int | None:
    """Return a query parameter that is a whole number; None if it is omitted. Errors: as `number_of`."""
    low, high = int(parameter["schema"]["minimum"]), int(parameter["schema"]["maximum"])

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) <= 19 and low <= int(text) <= high):
            raise ValueError(f"must be a whole number between {low} and {high}")
        return int(text)

    return query_of(request, parameter["name"], read, None)


@contextlib.contextmanager
def blamed_on(request: func.HttpRequest, name: str) -> Iterator[None]:
    """Turn a ValueError into the rejection of a query parameter that the request has."""
    try:
        yield
    except ValueError as error:
        if name not in request.params:
            raise
        raise invalid_query(name, f"{error} (got {shown(request.params.get(name))})") from error


def invalid_query(name: str, message: str) -> Rejected:
    """Return the rejection of a query parameter."""
    return Rejected("invalid query parameter", [FieldError(field=f"query.{name}", message=message)])
