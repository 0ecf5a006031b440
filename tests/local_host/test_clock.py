"""Waiting on the machine's clock, which may jump while the event loop's clock does not move."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Literal

import pytest

from local_host import clock
from local_host.clock import SystemClock


class Jumping(SystemClock):
    """A clock that jumps by a day with every reading, as after a laptop's sleep."""

    def __init__(self) -> None:
        self.days = 0

    def now(self) -> datetime:
        self.days += 1
        return super().now() + timedelta(days=self.days)


def test_a_time_that_passed_while_the_machine_slept_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_SLICE_S", 0.001)
    asyncio.run(Jumping().sleep_until(SystemClock().now() + timedelta(days=9)))


@pytest.mark.parametrize("until", [None, SystemClock().now() + timedelta(days=9)])
def test_an_event_ends_a_wait(until: datetime | None) -> None:
    async def go() -> None:
        event = asyncio.Event()
        asyncio.get_running_loop().call_soon(event.set)
        await SystemClock().wait(event, until)
        assert event.is_set()

    asyncio.run(go())


def test_a_wait_for_an_event_alone_does_not_wake_up_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_SLICE_S", 0.0)
    waits = []

    class Counted(asyncio.Event):
        async def wait(self) -> Literal[True]:
            waits.append(self)
            return await super().wait()

    async def go() -> None:
        event = Counted()
        waiting = asyncio.create_task(SystemClock().wait(event, None))
        for _ in range(20):
            await asyncio.sleep(0)
        event.set()
        await waiting

    asyncio.run(go())
    assert len(waits) == 1


def test_a_time_in_the_past_is_not_waited_for_but_lets_others_run() -> None:
    async def go() -> None:
        other = asyncio.Event()
        asyncio.get_running_loop().call_soon(other.set)
        await SystemClock().wait(asyncio.Event(), SystemClock().now() - timedelta(days=1))
        assert other.is_set()

    asyncio.run(go())
