"""The HTTP client: Mayfly's API as Python calls, the same against a laptop and against Azure.

Every request is safe to repeat (a submission carries an idempotency key, the rest is idempotent by itself), so that
429, 5xx and broken connections are tried again with growing waits until `patience_s` is used up. An API that has never
answered is given up on sooner: most likely it is not running.
"""

from __future__ import annotations

import ipaddress
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx

from mayfly.client.errors import BadRequest, Unreachable
from mayfly.jobs.events import Event, Source, from_document
from mayfly.jobs.job import Job, from_json

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
    """What an attempt printed; `source` is container, log, report or none."""

    attempt: int
    source: str
    text: str
    truncated: bool
    mark: str = ""
    """Of its end; the API sends only what is new since then."""


class Api:
    """One Mayfly, by its URL. Threads may share it. A `key` that is called is looked up for each request.

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

        try:
            self._http = httpx.Client(
                base_url=f"{self.url}/api/",
                headers=headers,
                auth=authorize,
                timeout=httpx.Timeout(30.0, connect=5.0),
                # A proxy that the environment names is not asked for this machine itself.
                trust_env=not is_loopback(url),
            )
        except (httpx.InvalidURL, UnicodeError) as error:
            raise _wrong_url(url) from error
        if self._http.base_url.scheme not in ("http", "https") or not self._http.base_url.host:
            raise _wrong_url(url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections."""
        self._http.close()

    def healthy(self, *, within_s: float = 2.0) -> bool:
        """Say whether the API answers now and says that it is well; asks once."""
        try:
            return self._http.get("health", timeout=within_s).status_code == 200
        except httpx.TransportError:
            return False

    def submit(self, spec: Mapping[str, Any], *, idempotency_key: str) -> str:
        """Submit a job and return its id. The same key and spec again give the same job."""
        headers = {"Idempotency-Key": idempotency_key}
        job_id: str = self._call("POST", "jobs", body=spec, headers=headers)["job_id"]
        return job_id

    def job(self, job_id: str) -> Job:
        """Return a job as its stream tells it now."""
        return _job(self._call("GET", f"jobs/{job_id}"))

    def jobs(self, *, limit: int | None = None, **filters: str | None) -> Iterator[Job]:
        """Return jobs, newest first, page by page; None: all of them. Filters as in `GET /api/jobs`."""
        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            size = PAGE_MAX if left is None else min(left, PAGE_MAX)
            page = self._call("GET", "jobs", query={**filters, "limit": str(size), "cursor": cursor})
            yield from map(_job, page["jobs"])
            left = None if left is None else left - len(page["jobs"])
            cursor = page["cursor"]
            if cursor is None:
                return

    def events(self, job_id: str, *, after: int = 0) -> list[Event]:
        """Return a job's stream after a position, whole."""
        found: list[Event] = []
        while True:
            query = {"after": str(found[-1].position if found else after), "limit": str(EVENTS_PAGE_MAX)}
            page = self._call("GET", f"jobs/{job_id}/events", query=query)["events"]
            found += map(_event, page)
            if len(page) < EVENTS_PAGE_MAX:
                return found

    def all_events(self, *, after: int = 0) -> Iterator[dict[str, Any]]:
        """Return the whole log, oldest first, as documents with their `global_position`."""
        while True:
            page = self._call("GET", "events", query={"after": str(after), "limit": str(EVENTS_PAGE_MAX)})
            yield from page["events"]
            if not page["events"]:
                return
            after = page["next"]

    def output(self, job_id: str, *, attempt: int | None = None, known: Output | None = None) -> Output:
        """Return what an attempt printed; the latest one's where none is named.

        `known`: what the same attempt had printed before, so that it need not be sent again.
        """
        after = known.mark or None if known is not None else None
        query = {"attempt": str(attempt) if attempt is not None else None, "after": after}
        document = self._call("GET", f"jobs/{job_id}/logs", query=query)
        before = known.text[: document.get("begin", 0)] if known is not None else ""
        return Output(
            attempt=document["attempt"],
            source=document["source"],
            text=before + document["text"],
            truncated=document["truncated"],
            mark=document.get("mark", ""),
        )

    def readings(self, job_id: str, *, attempt: int | None = None) -> list[Sample]:
        """Return what an attempt's container used, oldest first; the latest one's where none is named."""
        query = {"attempt": str(attempt) if attempt is not None else None}
        samples = self._call("GET", f"jobs/{job_id}/metrics", query=query)["samples"]
        return [(datetime.fromisoformat(one["at"]), one["cpu_cores"], one["memory_bytes"]) for one in samples]

    def cancel(self, job_id: str, *, reason: str | None = None) -> str:
        """Cancel a job and return its state; one that is over stays as it is."""
        state: str = self._call("POST", f"jobs/{job_id}/cancel", body={"reason": reason})["state"]
        return state

    def archive(self, job_id: str) -> None:
        """Hide a job that is over from the lists."""
        self._call("POST", f"jobs/{job_id}/archive")

    def clear(self) -> Iterator[tuple[int, int]]:
        """Cancel what runs and archive what ended, step by step; yield after each how many were so far."""
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
        """Return what a spec would become."""
        document: dict[str, Any] = self._call("POST", "plan", body=spec)
        return document

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        params = {name: value for name, value in (query or {}).items() if value is not None}
        response = self._persist(method, path, params=params, json=body, headers=headers)
        if response.is_success:
            try:
                return response.json()
            except ValueError as error:
                raise Unreachable(
                    f"{self.url} is no Mayfly API: it answered {method} /api/{path} with something that is not JSON"
                ) from error
        raise _refusal(response, self.url)

    def _persist(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Ask until there is an answer that asking again would not change."""
        begun = self._monotonic()
        wait_s = _WAIT_FIRST_S
        while True:
            asked_to_wait_s = 0.0
            response: httpx.Response | None = None
            failure: httpx.TransportError | None = None
            try:
                response = self._http.request(method, path, **request)
            except httpx.TransportError as error:
                failure = error
            if response is not None:
                self._answered = True
                if response.status_code not in _TRANSIENT:
                    return response
                asked_to_wait_s = _retry_after_s(response)
            wait_s = min(wait_s * 2, _WAIT_MAX_S)
            pause_s = max(asked_to_wait_s, wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads, hides nothing
            if self._monotonic() - begun + pause_s > self._enough_s(response):
                if response is not None:
                    return response
                assert failure is not None, "a request answers or fails"  # noqa: S101
                raise _no_answer(self.url, failure) from failure
            self._sleep(pause_s)

    def _enough_s(self, response: httpx.Response | None) -> float:
        """Say how long this is worth trying again. A 500 is rarely an outage, mostly a defect."""
        if not self._answered:
            return min(self._first_contact_s, self._patience_s)
        if response is not None and response.status_code == 500:
            return min(_DEFECT_PATIENCE_S, self._patience_s)
        return self._patience_s


def is_loopback(url: str) -> bool:
    """Say whether a URL points at this machine.

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
        raise Unreachable("the API describes a job in a way that this version of the CLI cannot read") from error


def _event(document: dict[str, Any]) -> Event:
    try:
        return from_document(document)
    except (ValueError, KeyError) as error:
        raise Unreachable(f"the log holds an event that this version of the CLI cannot read: {error}") from error


def _refusal(response: httpx.Response, url: str) -> BadRequest | Unreachable:
    title, lines = _problem(response)
    status = response.status_code
    if status in (401, 403):
        lines = ["pass the function key with --key or MAYFLY_KEY; `mayfly key` prints that of the local host"]
        return BadRequest(f"{url} does not accept this key" if title is None else title, lines, status=status)
    if 400 <= status < 500 and title is not None:
        return BadRequest(title, lines, status=status)
    if 400 <= status < 500:
        return BadRequest(f"{url} answered with {status}: is it a Mayfly API?", status=status)
    return Unreachable(f"{url} answered with {status}" + (f": {title}" if title else ""), lines)


def _problem(response: httpx.Response) -> tuple[str | None, list[str]]:
    """Read a problem document (RFC 9457); no title where there is none."""
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
    mend = "start it with `mayfly up`, or name another with --url or MAYFLY_URL"
    return Unreachable(
        f"{url} does not answer ({failure or type(failure).__name__})",
        [mend if is_loopback(url) else "check --url or MAYFLY_URL, and the network in between"],
    )


def _wrong_url(url: str) -> BadRequest:
    return BadRequest(f"the URL must look like http://127.0.0.1:7071 or https://NAME.azurewebsites.net (got {url!r})")


def _retry_after_s(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else 0.0
