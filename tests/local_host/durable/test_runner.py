"""The loop that drives the engine: woken by what happens, asleep otherwise, and stopped by no single instance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from local_host.durable.engine import Episode
from local_host.durable.runner import Runner
from tests.local_host.driving import Code, Rig, until


@asynccontextmanager
async def running(rig: Rig, *, activities_max: int = 10) -> AsyncIterator[Runner]:
    runner = Runner(rig.engine, activities_max=activities_max)
    task = asyncio.create_task(runner.run())
    try:
        yield runner
    finally:
        runner.stop()
        await task
        rig.close()


def rig_of(code: Code, **activities: Any) -> Rig:
    return Rig({"main": code}, activities)


def is_finished(rig: Rig, instance_id: str = "i") -> bool:
    return rig.status(instance_id).status == "Completed"


def test_the_loop_wakes_for_starts_events_results_and_timers() -> None:
    def main(context: Any) -> Any:
        yield context.call_activity("echo", 1)
        yield context.create_timer(context.current_utc_datetime + timedelta(days=2))
        answered = yield context.wait_for_external_event("answered")
        return answered

    async def go() -> None:
        rig = rig_of(main, echo=lambda value: value)
        async with running(rig):
            started = rig.clock.now()
            rig.start("main")
            await until(lambda: rig.engine.next_due() is not None)
            await until(lambda: len(rig.kinds()) == 11, rig.clock)
            assert rig.clock.now() - started >= timedelta(days=2)
            rig.engine.raise_event("i", "answered", "7")
            await until(lambda: is_finished(rig))
            assert rig.output() == 7

    asyncio.run(go())


def test_no_more_activities_run_at_a_time_than_permitted() -> None:
    now_running, most = [0], [0]

    async def busy(_: Any) -> None:
        now_running[0] += 1
        most[0] = max(most[0], now_running[0])
        for _ in range(5):
            await asyncio.sleep(0)
        now_running[0] -= 1

    def main(context: Any) -> Any:
        yield context.task_all([context.call_activity("busy", n) for n in range(30)])

    async def go() -> None:
        rig = rig_of(main, busy=busy)
        async with running(rig, activities_max=4):
            rig.start("main")
            await until(lambda: is_finished(rig))
        assert most[0] == 4

    asyncio.run(go())


def test_an_instance_that_trips_the_host_itself_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def main(context: Any) -> Any:
        return context.instance_id

    async def go() -> None:
        rig = rig_of(main)
        rig.start("main", instance_id="bad")
        bad = rig.status("bad").key
        step = rig.engine.step

        def tripping(item: Any) -> None:
            if item == Episode(key=bad):
                raise RuntimeError("a defect")
            step(item)

        monkeypatch.setattr(rig.engine, "step", tripping)
        async with running(rig):
            for n in range(100):
                rig.start("main", instance_id=f"good-{n}")
            await until(lambda: all(is_finished(rig, f"good-{n}") for n in range(100)))
            assert rig.status("bad").status == "Pending"

    asyncio.run(go())
    assert caplog.text.count("is set aside until the next start") == 1


def test_an_activity_under_way_when_the_loop_stops_is_run_again() -> None:
    def main(context: Any) -> Any:
        result = yield context.call_activity("stuck", 1)
        return result

    async def go() -> None:
        rig = rig_of(main, stuck=lambda _: asyncio.Event().wait())
        async with running(rig):
            rig.start("main")
            await until(lambda: rig.calls == [("stuck", 1)])
            left = rig.engine.activity_calls(after=0, limit=9)
        assert [call.name for call in left] == ["stuck"]

    asyncio.run(go())


def test_a_rest_releases_histories_and_work_resumes_from_the_hub() -> None:
    def main(context: Any) -> Any:
        answered = yield context.wait_for_external_event("answered")
        return answered

    async def go() -> None:
        rig = rig_of(main)
        async with running(rig):
            rig.start("main")
            await until(lambda: rig.status().status == "Running" and rig.clock.next_alarm() is not None)
            rig.clock.advance(timedelta(seconds=2))
            await until(lambda: len(rig.engine._episodes.executions._cached) == 0)
            rig.engine.raise_event("i", "answered", "1")
            await until(lambda: is_finished(rig))

    asyncio.run(go())
