"""The replaced parts of the SDK give the same results as the SDK's own."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from azure.durable_functions import DurableOrchestrationClient
from azure.durable_functions.models.OrchestrationRuntimeStatus import OrchestrationRuntimeStatus
from azure.durable_functions.orchestrator import Orchestrator
from dateutil.parser import parse as parse_with_dateutil  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from local_host.durable import sdk
from local_host.durable.history import EventType, encode, event
from local_host.durable.orchestrator_call import call_orchestrator
from tests.local_host.driving import Served, serving

APP = """
import azure.functions as func
import azure.durable_functions as df
app = df.DFApp()

@app.orchestration_trigger(context_name="context")
def echo(context):
    return context.get_input()
    yield

@app.orchestration_trigger(context_name="context")
def waits(context):
    answered = yield context.wait_for_external_event("answered")
    return answered

@app.orchestration_trigger(context_name="context")
def fails(context):
    raise ValueError("on purpose")
    yield
"""


_OFFSETS: Any = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=_OFFSETS | st.none()))  # noqa: DTZ001 - hypothesis wants it bare
def test_timestamps_are_read_as_dateutil_reads_them(when: Any) -> None:
    for text in (when.isoformat(), when.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"):
        assert sdk.parse_time(text) == parse_with_dateutil(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.1234567Z",
        "2026-01-01T00:00:00.5+02:00",
        "2026-01-01",
        "2026-01-01 10:00",
        "Jan 1 2026 10:00 UTC",
        "20260101T101010Z",
    ],
)
def test_other_notations_are_read_as_dateutil_reads_them(text: str) -> None:
    assert sdk.parse_time(text) == parse_with_dateutil(text)


@pytest.fixture
def _unprepared() -> Iterator[None]:
    names = [("models.history.HistoryEvent", "dt_parse"), ("models.TaskOrchestrationExecutor", "namedtuple")]
    modules = [(importlib.import_module(f"azure.durable_functions.{module}"), name) for module, name in names]
    before = [getattr(module, name) for module, name in modules]
    yield
    for (module, name), value in zip(modules, before, strict=True):
        setattr(module, name, value)


@pytest.mark.usefixtures("_unprepared")
def test_a_replay_answers_the_same_with_and_without_what_is_replaced() -> None:
    def main(context: Any) -> Any:
        first = yield context.call_activity("A", str(context.current_utc_datetime))
        second = yield context.call_activity("A", [first, str(context.new_guid()), context.new_uuid()])
        return second

    at = "2026-01-01T00:00:00.123456Z"
    history = [
        event(EventType.ORCHESTRATOR_STARTED, at),
        event(EventType.EXECUTION_STARTED, at, Name="main", Version="", Input=None),
        event(EventType.TASK_SCHEDULED, at, 0, Name="A", Input="null"),
        event(EventType.TASK_COMPLETED, at, TaskScheduledId=0, Result='{"x": 1}'),
    ]

    def answer() -> Any:
        return call_orchestrator(
            Orchestrator.create(main),
            history=",".join(map(encode, history)),
            input_text=None,
            instance_id="i",
            parent_instance_id=None,
        )

    sdk.prepare()
    prepared = answer()
    executor = importlib.import_module("azure.durable_functions.models.TaskOrchestrationExecutor")
    events = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")
    collections = importlib.import_module("collections")
    executor.namedtuple = collections.namedtuple  # type: ignore[attr-defined]
    events.dt_parse = parse_with_dateutil  # type: ignore[attr-defined]
    assert answer() == prepared
    assert len(prepared.actions) == 2


async def _talk(served: Served, client: Any, prefix: str) -> list[Any]:
    """Call every method of the client and record the answers; ids carry the prefix."""
    heard: list[Any] = []

    async def note(call: Any) -> None:
        try:
            value = await call
        except Exception as failure:
            value = f"{type(failure).__name__}: {failure}"
        value = value.to_json() if hasattr(value, "to_json") else value
        heard.append(json.loads(json.dumps(value, default=vars).replace(prefix, "P")))

    await note(client.start_new("echo", f"{prefix}e", {"n": 1, "text": "ü"}))
    await note(client.start_new("waits", f"{prefix}w"))
    await served.until_finished(f"{prefix}e")
    await served.until(f"{prefix}w", lambda body: body["runtimeStatus"] == "Running")
    await note(client.start_new("waits", f"{prefix}w"))
    await note(client.start_new("nobody", f"{prefix}n"))
    await note(client.start_new("echo", f"{prefix} with space", None))
    await served.until_finished(f"{prefix} with space")
    await note(_timeless(client.get_status(f"{prefix}e")))
    await note(_timeless(client.get_status(f"{prefix}w", show_history=True, show_input=True)))
    await note(_timeless(client.get_status(f"{prefix}none")))
    await note(client.raise_event(f"{prefix}w", "answered", {"a": [1, None]}))
    await served.until_finished(f"{prefix}w")
    await note(client.raise_event(f"{prefix}w", "answered", 2))
    await note(client.raise_event(f"{prefix}none", "answered", 2))
    await note(_timeless(client.get_status(f"{prefix}w")))
    await note(client.suspend(f"{prefix}w", "late"))
    await note(client.terminate(f"{prefix}none", "so & so"))
    await note(client.start_new("fails", f"{prefix}f"))
    await served.until_finished(f"{prefix}f")
    await note(client.rewind(f"{prefix}e", "no"))
    await note(_timeless_all(client.get_status_by(instance_id_prefix=prefix)))
    await note(_timeless_all(client.get_status_by(runtime_status=[OrchestrationRuntimeStatus.Failed])))
    await note(client.restart(f"{prefix}none"))
    await note(client.purge_instance_history(f"{prefix}e"))
    await note(client.purge_instance_history(f"{prefix}none"))
    heard.append((await client.purge_instance_history(f"{prefix}f")).instances_deleted)
    return heard


async def _timeless(call: Any) -> Any:
    body = (await call).to_json()
    for row in body.get("history") or []:
        row.pop("Timestamp", None)
    return {key: value for key, value in body.items() if "Time" not in key}


async def _timeless_all(call: Any) -> Any:
    bodies = [status.to_json() for status in await call]
    return [{key: value for key, value in body.items() if "Time" not in key} for body in bodies]


def test_the_client_gets_the_same_answers_in_process_as_over_http(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, APP) as served:
            binding = served.host._binding
            route = served.host._route
            assert route is not None
            in_process = await _talk(served, DurableOrchestrationClient(binding), "a-")
            route.close()
            try:
                over_http = await _talk(served, DurableOrchestrationClient(binding), "b-")
            finally:
                await sdk.close_client_session()
            assert in_process == over_http
            assert len(in_process) > 20

    asyncio.run(go())


def test_requests_for_other_hosts_go_the_sdks_own_way(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, APP) as served:
            binding = json.loads(served.host._binding)
            binding["rpcBaseUrl"] = f"{served.base_url}/elsewhere/"
            client = DurableOrchestrationClient(json.dumps(binding))
            with pytest.raises(Exception, match="No function handles POST /elsewhere/orchestrators/echo"):
                await client.start_new("echo")

    asyncio.run(go())
