"""A clock for the local host that moves only when a test advances it, so that days pass in milliseconds."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class VirtualClock:
    """A clock that rings its alarms while a test advances it. See `local_host.clock.Clock`."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._alarms: list[tuple[datetime, int, Alarm]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        return self._now

    def call_at(self, when: datetime, callback: Callable[[], None]) -> Alarm:
        """Run the callback once, at or after `when`; soon if that is in the past."""
        alarm = Alarm(callback)
        heapq.heappush(self._alarms, (when, next(self._order), alarm))
        if when <= self._now:
            # On a running loop a past alarm rings automatically; without one it rings at the next `advance`.
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().call_soon(self.advance_to, self._now)
        return alarm

    async def sleep_until(self, when: datetime) -> None:
        if when <= self._now:
            await asyncio.sleep(0)
            return
        rung = asyncio.Event()
        alarm = self.call_at(when, rung.set)
        try:
            await rung.wait()
        finally:
            alarm.cancel()

    async def wait(self, event: asyncio.Event, until: datetime | None) -> None:
        if until is None or event.is_set():
            await event.wait()
            return
        over = asyncio.Event()
        alarm = self.call_at(until, over.set)
        waiting = asyncio.create_task(event.wait())
        waiting.add_done_callback(lambda _: over.set())
        try:
            await over.wait()
        finally:
            alarm.cancel()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    def advance(self, step: timedelta) -> None:
        """Advance by `step` and ring every alarm that comes due, in order, each at its own time."""
        self.advance_to(self._now + step)

    def advance_to(self, when: datetime) -> None:
        """Advance to `when`. A time in the past does not move the clock but rings the alarms that are already due."""
        while self._alarms and self._alarms[0][0] <= max(when, self._now):
            due, _, alarm = heapq.heappop(self._alarms)
            self._now = max(self._now, due)
            alarm.ring()
        self._now = max(self._now, when)

    def next_alarm(self) -> datetime | None:
        """Return the time of the earliest alarm that is not canceled, or `None`."""
        while self._alarms and self._alarms[0][2].cancelled:
            heapq.heappop(self._alarms)
        return self._alarms[0][0] if self._alarms else None


class Alarm:
    """A callback that runs once unless it is canceled."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def ring(self) -> None:
        if not self.cancelled:
            self.cancelled = True
            self._callback()
