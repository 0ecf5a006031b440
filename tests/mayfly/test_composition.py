"""The Mayfly of this process ends with the event loop in which it was composed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mayfly import composition
from mayfly.app import Mayfly
from mayfly.jobs.events import Event
from mayfly.settings import read_settings
from mayfly.telemetry import job_context
from tests.mayfly.connections import Connections
from tests.mayfly.jobs.samples import JOB_ID, opening


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("MAYFLY_DATA", str(tmp_path))
    monkeypatch.setattr(job_context, "install", lambda: None)
    composition.use(None)
    yield
    composition.use(None)


def test_it_is_composed_once_and_closed_when_the_loop_ends(connections: Connections) -> None:
    async def work() -> None:
        assert composition.current() is composition.current()
        assert not connections.all_closed()

    asyncio.run(work())
    assert len(connections.opened) == 4
    assert connections.all_closed()


def test_another_loop_has_another_mayfly() -> None:
    async def work() -> Mayfly:
        mayfly = composition.current()
        await mayfly.log.read_all()
        return mayfly

    assert asyncio.run(work()) is not asyncio.run(work())


def test_a_pending_append_is_written_before_the_file_is_closed(connections: Connections) -> None:
    async def work() -> None:
        task = asyncio.create_task(composition.current().log.append([opening()], expected_position=0))
        await asyncio.sleep(0)  # the append begins
        await asyncio.sleep(0)  # its transaction goes to the writer's thread
        assert not task.done()

    async def read() -> list[Event]:
        return [*await composition.current().log.read(JOB_ID)]

    asyncio.run(work())
    assert connections.all_closed()
    assert asyncio.run(read()) == [opening()]


def test_a_replacement_is_kept(runner: asyncio.Runner) -> None:
    async def work() -> Mayfly:
        mayfly = composition.current()
        composition.use(other := composition.compose(read_settings()))
        assert other is not mayfly
        return other

    other = asyncio.run(work())
    assert composition.current() is other
    runner.run(other.close())
