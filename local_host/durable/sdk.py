"""Where does the host reach into the Durable Functions SDK, and why? Here, and nowhere else.

These are replaced, each by something that gives the same results:

1. `dt_parse` in the module of `HistoryEvent`. The SDK parses the timestamp of every event at every replay with
   dateutil, which guesses the format; that is 85 % of the time of a replay. `datetime.fromisoformat` reads what this
   host writes, and dateutil is asked about everything else.
2. Two warnings that the host itself would cause for every app, and that the app's author can do nothing about: the
   notice that payloads were decoded without a type, and the executor's warning about every event that comes before its
   wait. The second goes to the log at debug level.
3. `namedtuple` in the module of the executor, which makes the same class anew at every replay, and making a class
   takes as long as replaying a dozen events. It is made once.
4. The constructor of `HistoryEvent` for the context, which sets every field one by one; `parse_timespan_attrib`, which
   matches the same two constants at every replay; and the look into the environment for strict typing, which comes
   with every payload: the environment is looked at once per engine. Together a tenth of a replay.
5. `json` in the module of the payload codec, which makes a decoder and an encoder for every payload. The plain decoder
   reads payloads that cannot hold a custom object, and one encoder serves all.
6. The client's three HTTP calls. A durable client talks to the host through HTTP on loopback, one request a call.
   Within this process the request is handed to the same handlers without a socket; a request for any other address
   goes the SDK's own way.

Made for azure-functions-durable 1.7. The tests compare each with the SDK's own way.
"""

from __future__ import annotations

import functools
import importlib
import json
import logging
import os
from collections import namedtuple
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

log = logging.getLogger("local_host.durable.sdk")

ClientCall = Callable[[str, str, str | None], Awaitable[list[Any]]]
"""Method, URL and body text in; status and decoded JSON body out (`None` for an empty body)."""


def prepare() -> None:
    """Replace all but the last. Doing it again changes nothing, but looks at the environment afresh."""
    _history_event.dt_parse = parse_time
    _executor.warnings = _LoggedWarnings
    _executor.namedtuple = _namedtuple_once
    _context.HistoryEvent = _QuickHistoryEvent
    _context.parse_timespan_attrib = _parse_timespan_once
    _codec._no_expected_type_notice_emitted = True
    strict = os.environ.get(_codec._STRICT_ENV_VAR, "").strip().lower() in _codec._TRUTHY
    _codec.json = _PayloadJson
    _codec._is_strict_mode = lambda: strict


def parse_time(text: str) -> datetime:
    """Read a timestamp as dateutil does.

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
    """Sends the durable client's requests for one base URL to a handler; `close` puts the SDK's own way back.

    Several may be open at a time, for several hosts in one process.
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
            _client.post_async_request = _own_way.post_async_request
            _client.get_async_request = _own_way.get_async_request
            _client.delete_async_request = _own_way.delete_async_request


async def close_client_session() -> None:
    """Close the connections that the SDK's own way has opened, if any; it never does so itself."""
    await _own_way._close_session()


# The package exports classes under the names of their modules, so that a plain import finds the classes.
_history_event: Any = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")
_context: Any = importlib.import_module("azure.durable_functions.models.DurableOrchestrationContext")
_executor: Any = importlib.import_module("azure.durable_functions.models.TaskOrchestrationExecutor")
_client: Any = importlib.import_module("azure.durable_functions.models.DurableOrchestrationClient")
_own_way: Any = importlib.import_module("azure.durable_functions.models.utils.http_utils")
_dateutil: Any = importlib.import_module("dateutil.parser")
_codec: Any = importlib.import_module("azure.functions._durable_functions")

_parse_timespan_once = functools.cache(_context.parse_timespan_attrib)

_encode = json.JSONEncoder(default=_codec._serialize_custom_object).encode

_ISO_CHARACTERS_MIN = len("2026-01-01T00:00:00")

_routes: dict[str, ClientCall] = {}


@functools.cache
def _namedtuple_once(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name, fields)


class _QuickHistoryEvent(_history_event.HistoryEvent):  # type: ignore[misc]  # the SDK carries no types
    """An event with all its fields set at once."""

    def __init__(self, EventType: int, EventId: int, IsPlayed: bool, Timestamp: str, **fields: Any) -> None:  # noqa: N803
        self.__dict__ = {
            "_event_type": EventType,
            "_event_id": EventId,
            "_is_played": IsPlayed,
            "_timestamp": parse_time(Timestamp),
            "_is_processed": False,
            "Name": None,
            "InstanceId": None,
            "TaskScheduledId": None,
            "Reason": None,
            "Details": None,
            "Input": None,
            **fields,
        }


class _PayloadJson:
    """`json` as the payload codec uses it."""

    JSONDecodeError = json.JSONDecodeError

    @staticmethod
    def loads(text: str | bytes, *, object_hook: Callable[[dict[str, Any]], Any] | None = None) -> Any:
        # The hook changes only objects that have the key `__class__`, in letters or in escapes.
        if object_hook is not None and isinstance(text, str) and "__class__" not in text and "\\u" not in text:
            return json.loads(text)
        return json.loads(text, object_hook=object_hook)

    @staticmethod
    def dumps(value: Any, *, default: Callable[[Any], Any] | None = None) -> str:
        return _encode(value) if default is _codec._serialize_custom_object else json.dumps(value, default=default)


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
        return await _own_way.post_async_request(url, data, trace_parent, trace_state, function_invocation_id)
    # The SDK posts what it is given as JSON: a text that already is JSON becomes a JSON string that holds JSON.
    return await call("POST", url, None if data is None else json.dumps(data))


async def _get(url: str, function_invocation_id: str | None = None) -> Any:
    call = _find_route(url)
    if call is None:
        return await _own_way.get_async_request(url, function_invocation_id)
    status, body = await call("GET", url, None)
    return [status, "" if body is None else body]


async def _delete(url: str, function_invocation_id: str | None = None) -> Any:
    call = _find_route(url)
    if call is None:
        return await _own_way.delete_async_request(url, function_invocation_id)
    return await call("DELETE", url, None)
