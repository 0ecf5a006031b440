"""The HTTP client: Mayfly's API as Python calls, the same for a laptop and for Azure.

Every request is safe to repeat: a submission carries an idempotency key, and all others are idempotent. The client
therefore retries 429, 5xx and broken connections with growing waits until `patience_s` has passed. It gives up sooner
on an API that has never answered, which is most likely not running.
"""

from __future__ import annotations

import ipaddress
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import httpx

from mayfly.client.errors import BadRequest, Unreachable
from mayfly.jobs.events import Event, Source, from_document
from mayfly.jobs.job import Job, from_json
from mayfly.jobs.lifecycle import STATES, JobState

PAGE_MAX = 200
EVENTS_PAGE_MAX = 1_000
_WAIT_FIRST_S = 0.1
_WAIT_MAX_S = 2.0
_DEFECT_PATIENCE_S = 3.0
_TRANSIENT = (429, 500, 502, 503, 504)

Sample = tuple[datetime, float, int]
"""(at, CPU in cores, memory in bytes)."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """The output of an attempt; `source` is container, log, report or none."""

    attempt: int
    source: str
    text: str
    truncated: bool
    cursor: str = ""
    """The end of this output; with it, the API sends only newer output. Empty if there is no cursor."""


class Api:
    """The API at one URL. Threads may share a client. If `key` is a function, it is called for each request.

    Errors: every call may raise `BadRequest` (4xx, a line for each field) or `Unreachable`.
    """

    def __init__(
        self,
        url: str,
        key: str | Callable[[], str | None] | None,
        *,
        patience_s: float = 30.0,
        first_contact_s: float = 1.0,
        source: Source = "cli",
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url.rstrip("/")
        self._patience_s = patience_s
        self._first_contact_s = first_contact_s
        self._sleep = sleep
        self._monotonic = monotonic
        self._answered = False
        headers = {"X-Mayfly-Source": source, "Accept": "application/json"}

        def authorize(request: httpx.Request) -> httpx.Request:
            if value := key() if callable(key) else key:
                request.headers["x-functions-key"] = value
            return request

        self._http = httpx.Client(
            base_url=_base_url(url),
            headers=headers,
            auth=authorize,
            timeout=httpx.Timeout(30.0, connect=5.0),
            # Requests to this machine do not go through a proxy that the environment names.
            trust_env=not is_loopback(url),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections."""
        self._http.close()

    def healthy(self, *, within_s: float = 2.0) -> bool:
        """Return whether the API answers in time and reports that it is healthy. Sends one request."""
        try:
            return self._http.get("health", timeout=within_s).status_code == 200
        except httpx.TransportError:
            return False

    def submit(self, spec: Mapping[str, Any], *, idempotency_key: str) -> str:
        """Submit a job and return its id. Repeating the same key and spec returns the same job."""
        headers = {"Idempotency-Key": idempotency_key}
        return str(self._call("POST", "jobs", body=spec, headers=headers)["job_id"])

    def job(self, job_id: str) -> Job:
        """Return a job, folded from its stream."""
        return _job(self._call("GET", f"jobs/{job_id}"))

    def jobs(self, *, limit: int | None = None, **filters: str | None) -> Iterator[Job]:
        """Yield jobs, newest first, page by page. Without a limit, yield all. Filters are those of `GET /api/jobs`."""
        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            size = PAGE_MAX if left is None else min(left, PAGE_MAX)
            page = self._call("GET", "jobs", query={**filters, "limit": size, "cursor": cursor})
            yield from map(_job, page["jobs"])
            left = None if left is None else left - len(page["jobs"])
            cursor = page["cursor"]
            if cursor is None:
                return

    def events(self, job_id: str, *, after: int = 0) -> list[Event]:
        """Return all events of a job after a position."""
        found: list[Event] = []
        while True:
            query = {"after": found[-1].position if found else after, "limit": EVENTS_PAGE_MAX}
            page = self._call("GET", f"jobs/{job_id}/events", query=query)["events"]
            found += map(_event, page)
            if len(page) < EVENTS_PAGE_MAX:
                return found

    def all_events(self, *, after: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the whole log, oldest first, as documents with their `global_position`."""
        while True:
            page = self._call("GET", "events", query={"after": after, "limit": EVENTS_PAGE_MAX})
            yield from page["events"]
            if not page["events"]:
                return
            after = page["next"]

    def output(self, job_id: str, *, attempt: int | None = None, known: Output | None = None) -> Output:
        """Return the output of an attempt; of the latest attempt if none is given.

        `known`: earlier output of the same attempt, which is not sent again.
        """
        query = {"attempt": attempt, "after": (known.cursor or None) if known is not None else None}
        document = self._call("GET", f"jobs/{job_id}/logs", query=query)
        before = known.text[: document.get("begin", 0)] if known is not None else ""
        return Output(
            attempt=document["attempt"],
            source=document["source"],
            text=before + document["text"],
            truncated=document["truncated"],
            cursor=document.get("mark", ""),
        )

    def samples(self, job_id: str, *, attempt: int | None = None) -> list[Sample]:
        """Return the CPU and memory samples of an attempt, oldest first; of the latest attempt if none is given."""
        samples = self._call("GET", f"jobs/{job_id}/metrics", query={"attempt": attempt})["samples"]
        return [(datetime.fromisoformat(one["at"]), one["cpu_cores"], one["memory_bytes"]) for one in samples]

    def cancel(self, job_id: str, *, reason: str | None = None) -> JobState:
        """Cancel a job and return its state. A job that is over does not change."""
        state: JobState = self._call("POST", f"jobs/{job_id}/cancel", body={"reason": reason})["state"]
        if state not in STATES:
            raise Unreachable(f"{job_id} has the unknown state {state!r}; update this Mayfly client")
        return state

    def archive(self, job_id: str) -> None:
        """Archive a job that is over: hide it from lists."""
        self._call("POST", f"jobs/{job_id}/archive")

    def clear(self) -> Iterator[tuple[int, int]]:
        """Cancel open jobs and archive all jobs, step by step; yield (canceled, archived) so far after each step."""
        canceled = archived = 0
        cursor: str | None = None
        while True:
            document = self._call("POST", "jobs/clear", query={"cursor": cursor}, body={})
            canceled += document["canceled"]
            archived += document["archived"]
            yield canceled, archived
            cursor = document["cursor"]
            if cursor is None:
                return

    def plan(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Return the plan for a spec: the resolved spec, its price, and anything that would block it."""
        document: dict[str, Any] = self._call("POST", "plan", body=spec)
        return document

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        params = {name: value for name, value in (query or {}).items() if value is not None}
        response = self._retried(method, path, params=params, json=body, headers=headers)
        if not response.is_success:
            raise _error_of(response, self.url)
        try:
            return response.json()
        except ValueError as error:
            text = f"{self.url} is not a Mayfly API: its answer to {method} /api/{path} is not JSON"
            raise Unreachable(text) from error

    def _retried(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request until the answer is final or the time is used up."""
        begun = self._monotonic()
        wait_s = _WAIT_FIRST_S
        while True:
            wait_s = min(wait_s * 2, _WAIT_MAX_S)
            pause_s = wait_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads requests, protects nothing
            try:
                response = self._http.request(method, path, **request)
            except httpx.TransportError as error:
                give_up_after_s = self._patience_s if self._answered else min(self._first_contact_s, self._patience_s)
                if self._monotonic() - begun + pause_s > give_up_after_s:
                    raise _no_answer(self.url, error) from error
            else:
                self._answered = True
                if response.status_code not in _TRANSIENT:
                    return response
                # A 500 is usually a defect and rarely an outage.
                defect = response.status_code == 500
                give_up_after_s = min(_DEFECT_PATIENCE_S, self._patience_s) if defect else self._patience_s
                pause_s = max(_retry_after_s(response), pause_s)
                if self._monotonic() - begun + pause_s > give_up_after_s:
                    return response
            self._sleep(pause_s)


def is_loopback(url: str) -> bool:
    """Return whether a URL points at this machine.

    >>> is_loopback("http://127.0.0.1:7071"), is_loopback("http://localhost"), is_loopback("https://example.org")
    (True, True, False)
    """
    try:
        host = httpx.URL(url).host
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except (ValueError, httpx.InvalidURL):
        return False


def _job(document: Mapping[str, Any]) -> Job:
    try:
        return from_json(json.dumps(document))
    except ValueError as error:
        raise Unreachable("cannot read the API's description of a job; update this Mayfly client") from error


def _event(document: dict[str, Any]) -> Event:
    try:
        return from_document(document)
    except (ValueError, KeyError) as error:
        raise Unreachable(f"cannot read an event of the log ({error}); update this Mayfly client") from error


def _error_of(response: httpx.Response, url: str) -> BadRequest | Unreachable:
    title, lines = _problem(response)
    status = response.status_code
    if status in (401, 403):
        lines = ["pass the function key with --key or MAYFLY_KEY; `mayfly key` prints the key of the local host"]
        return BadRequest(title or f"{url} does not accept this key", lines, status=status)
    if 400 <= status < 500:
        text = title or f"{url} answered with {status}; check that it is a Mayfly API"
        return BadRequest(text, lines, status=status)
    return Unreachable(f"{url} answered with {status}" + (f": {title}" if title else ""), lines)


def _problem(response: httpx.Response) -> tuple[str | None, list[str]]:
    """Return title and lines of a problem document (RFC 9457); None as title if the body is not one."""
    try:
        document = response.json()
        title = str(document["title"])
        errors = document.get("errors") or []
        lines = [f"{error['field']}: {error['message']}" for error in errors]
        detail = document.get("detail")
        return title, lines or ([str(detail)] if detail and detail != title else [])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, []


def _no_answer(url: str, failure: httpx.TransportError) -> Unreachable:
    fix = "start it with `mayfly up`, or choose another with --url or MAYFLY_URL"
    return Unreachable(
        f"{url} does not answer ({str(failure) or type(failure).__name__})",
        [fix if is_loopback(url) else "check --url or MAYFLY_URL, and the network in between"],
    )


def _base_url(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(f"{url.rstrip('/')}/api/")
    except (httpx.InvalidURL, UnicodeError):
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        examples = "http://127.0.0.1:7071 or https://NAME.azurewebsites.net"
        raise BadRequest(f"the URL must look like {examples} (got {url!r})")
    return parsed


def _retry_after_s(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else 0.0
