"""How functions are called: on the loop or in a thread, with their clients and their context."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from local_host.app.invocation import Invoker
from local_host.web.binding import client_binding
from tests.local_host.driving import loaded, until
from tests.virtual_clock import VirtualClock

APP = """
import azure.functions as func
import azure.durable_functions as df
import threading
app = df.DFApp()
look = lambda: None

@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="t")
def in_thread(t, context: func.Context):
    return threading.current_thread(), look(), context

@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="t")
@app.durable_client_input(client_name="client")
async def on_loop(t, client):
    return threading.current_thread(), client

@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="t")
def raises(t):
    raise KeyError(t)

@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="t")
@app.retry(strategy="fixed_delay", max_retry_count="1", delay_interval="00:01:30")
def retried(t):
    raise KeyError(t)
"""

BINDING = client_binding(public_base="http://h/p", rpc_base="http://h/rpc/", hub_name="Hub", link_query="code=k")
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="none")


def call(tmp_path: Path, name: str, argument: Any = None, retry: tuple[int, int] | None = None) -> Any:
    app = loaded(tmp_path, APP)
    [function] = [each for each in app.functions if each.name == name]
    function.call.__globals__["look"] = REQUEST_ID.get
    invoker = Invoker(directory=tmp_path, client_binding=BINDING)
    REQUEST_ID.set("seven")
    try:
        return asyncio.run(invoker.call(function, argument, retry=retry))
    finally:
        invoker.close()


def test_a_sync_function_runs_in_a_thread_with_the_callers_context_variables(tmp_path: Path) -> None:
    thread, request_id, context = call(tmp_path, "in_thread", retry=(1, 3))
    assert thread is not threading.main_thread()
    assert request_id == "seven"
    assert (context.function_name, context.function_directory) == ("in_thread", str(tmp_path))
    assert (context.retry_context.retry_count, context.retry_context.max_retry_count) == (1, 3)
    assert context.trace_context.trace_parent == ""


def test_an_async_function_runs_on_the_loop_and_receives_its_durable_client(tmp_path: Path) -> None:
    thread, client = call(tmp_path, "on_loop")
    assert thread is threading.main_thread()
    assert client.create_http_management_payload("i")["purgeHistoryDeleteUri"] == "http://h/p/instances/i?code=k"


def test_a_failed_call_is_logged_with_its_next_try(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def go() -> bool:
        clock = VirtualClock()
        calling = asyncio.create_task(invoker.call_with_retries(function, "x", clock, on=" on document 7"))
        await until(calling.done, clock)
        return calling.result()

    [function] = [each for each in loaded(tmp_path, APP).functions if each.name == "retried"]
    invoker = Invoker(directory=tmp_path, client_binding=BINDING)
    succeeded = asyncio.run(go())
    invoker.close()
    assert not succeeded
    assert [record.getMessage() for record in caplog.records if record.name == "local_host.app.invocation"] == [
        "Function 'retried' failed on document 7 (1 in a row); next try in 90 s.",
        "Function 'retried' failed on document 7 (2 in a row); giving up.",
    ]


def test_an_exception_passes_through(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="x"):
        call(tmp_path, "raises", "x")
