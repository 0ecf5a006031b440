"""Timer triggers, on a virtual clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from local_host.app.functions import TIMER
from local_host.app.invocation import Invoker
from local_host.app.loading import LoadedApp
from local_host.durable.hub import TaskHub
from local_host.triggers.timers import TimerTrigger
from tests.local_host.driving import loaded, until
from tests.local_host.triggers.driving import hub_and_invoker
from tests.virtual_clock import VirtualClock

TIMERS = """
import azure.functions as func
app = func.FunctionApp()
runs = []
faults = []

@app.timer_trigger(schedule="0 0 * * * *", arg_name="t")
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:10")
async def hourly(t: func.TimerRequest, context: func.Context) -> None:
    runs.append((t.past_due, context.retry_context.retry_count))
    if faults:
        raise faults.pop()
"""


def timer_of(app: LoadedApp, hub: TaskHub, clock: VirtualClock, invoker: Invoker) -> TimerTrigger:
    [function] = [each for each in app.functions if each.kind == TIMER]
    return TimerTrigger(function, hub=hub, clock=clock, invoker=invoker)


def test_a_timer_runs_at_each_full_hour(tmp_path: Path) -> None:
    app = loaded(tmp_path, TIMERS)
    runs: list[Any] = app.functions[0].call.__globals__["runs"]

    async def go(hub: TaskHub, invoker: Invoker) -> None:
        clock = VirtualClock()
        started = clock.now()
        task = asyncio.create_task(timer_of(app, hub, clock, invoker).run())
        await until(lambda: len(runs) == 24, clock)
        task.cancel()
        assert clock.now() - started == timedelta(hours=24)
        assert runs == [(False, 0)] * 24

    with hub_and_invoker() as (hub, invoker):
        asyncio.run(go(hub, invoker))


def test_a_run_missed_while_the_host_was_down_is_made_up_once(tmp_path: Path) -> None:
    app = loaded(tmp_path, TIMERS)
    runs: list[Any] = app.functions[0].call.__globals__["runs"]

    async def go(hub: TaskHub, invoker: Invoker) -> None:
        clock = VirtualClock()
        first = asyncio.create_task(timer_of(app, hub, clock, invoker).run())
        await until(lambda: len(runs) == 1, clock)
        await until(lambda: clock.next_alarm() is not None)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        clock.advance(timedelta(hours=5, minutes=30))
        second = asyncio.create_task(timer_of(app, hub, clock, invoker).run())
        await until(lambda: len(runs) == 2)
        assert runs[1] == (True, 0)
        await until(lambda: len(runs) == 3, clock)
        assert runs[2] == (False, 0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)

    with hub_and_invoker() as (hub, invoker):
        asyncio.run(go(hub, invoker))


def test_a_timer_that_fails_is_retried_as_its_policy_says(tmp_path: Path) -> None:
    app = loaded(tmp_path, TIMERS)
    module = app.functions[0].call.__globals__
    module["faults"].extend([ValueError("b"), ValueError("a")])

    async def go(hub: TaskHub, invoker: Invoker) -> None:
        clock = VirtualClock()
        started = clock.now()
        fire = asyncio.create_task(timer_of(app, hub, clock, invoker).fire())
        await until(fire.done, clock)
        assert module["runs"] == [(False, 0), (False, 1), (False, 2)]
        assert clock.now() - started == timedelta(seconds=20)

    with hub_and_invoker() as (hub, invoker):
        asyncio.run(go(hub, invoker))
