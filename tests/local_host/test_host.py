"""The composition root: a host stops when a part of it fails, and stops everything that it started."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from local_host.host import Host, HostSettings
from local_host.web.keys import Keys
from tests.local_host.driving import loaded, until

APP = """
import azure.functions as func
app = func.FunctionApp()

@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="t")
async def yearly(t: func.TimerRequest) -> None: pass
"""


def host_of(tmp_path: Path) -> Host:
    app = loaded(tmp_path / "app", APP)
    keys = Keys.load_or_create(tmp_path / "keys.json")
    return Host(app, keys, HostSettings(base_url="http://127.0.0.1:1", data=None))


def test_a_host_that_starts_and_stops_leaves_no_task_behind(tmp_path: Path) -> None:
    async def go() -> None:
        host = host_of(tmp_path)
        host.start()
        assert {task.get_name() for task in asyncio.all_tasks()} >= {"the engine", "the timer trigger 'yearly'"}
        await host.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not host.failed.is_set()

    asyncio.run(go())


def test_a_task_hub_that_fails_is_reported_with_its_cause(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def go() -> None:
        host = host_of(tmp_path)
        host.hub.db.execute("DROP TABLE inbox")
        host.start()
        await until(host.failed.is_set)
        assert isinstance(host.failure, sqlite3.OperationalError)
        await host.stop()

    asyncio.run(go())
    assert "Stopping the host because the engine failed." in caplog.text
