"""Where does the host patch the Durable Functions SDK, and why? Only here.

Each replacement returns the same results as the original:

1. `dt_parse` in the module of `HistoryEvent`. Every replay parses the timestamp of every event with dateutil, which
   guesses the format and takes 85 % of a replay's time. `datetime.fromisoformat` parses the format that this host
   writes, and dateutil parses all others.
2. `namedtuple` in the module of the executor, which creates the same class in every replay. Creating it once saves 60
   to 70 microseconds: about a third of a short replay.
3. Two warnings that this host would cause in every app and that the app's author cannot prevent: the notice that
   payloads were decoded without a type, and the executor's warning about every event that arrives before its wait. The
   second goes to the log at debug level.
4. The client's three HTTP calls. A durable client calls its host over HTTP on loopback, one request per call. In this
   process the request goes straight to the same handlers without a socket. Requests for other addresses go through the
   SDK's own HTTP client.

Written for azure-functions-durable 1.7. The tests compare each replacement with the original.
"""

from __future__ import annotations

import functools
import importlib
import json
import logging
from collections import namedtuple
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

log = logging.getLogger("local_host.durable.sdk")

ClientCall = Callable[[str, str, str | None], Awaitable[list[Any]]]
"""Method, URL and body text in; status and decoded JSON body out (`None` for an empty body)."""


def prepare() -> None:
    """Apply all replacements except the client's HTTP calls. Calling it again changes nothing."""
    _history_event.dt_parse = parse_time
    _executor.warnings = _LoggedWarnings
    _executor.namedtuple = _namedtuple_once
    _codec._no_expected_type_notice_emitted = True


def parse_time(text: str) -> datetime:
    """Parse a timestamp with the same result as dateutil.

    >>> parse_time("2026-01-01T00:00:00.000000Z")
    datetime.datetime(2026, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    if len(text) >= _ISO_CHARACTERS_MIN and text[10] == "T":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    parsed: datetime = _dateutil.parse(text)
    return parsed


class ClientRoute:
    """Routes the durable client's requests for one base URL to a handler, until `close`.

    Several routes may be open at a time, for several hosts in one process.
    """

    def __init__(self, base_url: str, call: ClientCall) -> None:
        self._base_url = base_url
        _routes[base_url] = call
        _client.post_async_request = _post
        _client.get_async_request = _get
        _client.delete_async_request = _delete

    def close(self) -> None:
        _routes.pop(self._base_url, None)
        if not _routes:
            _client.post_async_request = _sdk_http.post_async_request
            _client.get_async_request = _sdk_http.get_async_request
            _client.delete_async_request = _sdk_http.delete_async_request


async def close_client_session() -> None:
    """Close the connections of the SDK's own HTTP client, if there are any; it never closes them itself."""
    await _sdk_http._close_session()


# The package exports classes under the names of their modules, so a plain import would find the classes.
_history_event: Any = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")
_executor: Any = importlib.import_module("azure.durable_functions.models.TaskOrchestrationExecutor")
_client: Any = importlib.import_module("azure.durable_functions.models.DurableOrchestrationClient")
_sdk_http: Any = importlib.import_module("azure.durable_functions.models.utils.http_utils")
_dateutil: Any = importlib.import_module("dateutil.parser")
_codec: Any = importlib.import_module("azure.functions._durable_functions")

_ISO_CHARACTERS_MIN = len("2026-01-01T00:00:00")

_routes: dict[str, ClientCall] = {}


@functools.cache
def _namedtuple_once(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name, fields)


class _LoggedWarnings:
    @staticmethod
    def warn(message: str, *_: Any, **__: Any) -> None:
        log.debug("%s", message)


def _find_route(url: str) -> ClientCall | None:
    return next((call for base_url, call in _routes.items() if url.startswith(base_url)), None)


async def _post(
    url: str,
    data: Any = None,
    trace_parent: str | None = None,
    trace_state: str | None = None,
    function_invocation_id: str | None = None,
) -> Any:
    call = _find_route(url)
    if call is None:
        return await _sdk_http.post_async_request(url, data, trace_parent, trace_state, function_invocation_id)
    # The SDK encodes its argument as JSON, so a text that is already JSON becomes a JSON string that contains JSON.
    return await call("POST", url, None if data is None else json.dumps(data))


async def _get(url: str, function_invocation_id: str | None = None) -> Any:
    call = _find_route(url)
    if call is None:
        return await _sdk_http.get_async_request(url, function_invocation_id)
    status, body = await call("GET", url, None)
    return [status, "" if body is None else body]


async def _delete(url: str, function_invocation_id: str | None = None) -> Any:
    call = _find_route(url)
    if call is None:
        return await _sdk_http.delete_async_request(url, function_invocation_id)
    return await call("DELETE", url, None)
