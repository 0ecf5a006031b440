"""What time is it, and when is something due? Every part of the host is given a clock and uses no other.

There are two: `SystemClock`, and `VirtualClock`, which moves only when a test or a simulation advances it, so that days
pass in milliseconds. Times are always timezone-aware and in UTC.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Alarm(Protocol):
    """A callback that will run once unless it is canceled."""

    def cancel(self) -> None:
        """Cancel the callback; after it has run, do nothing."""


class Clock(Protocol):
    """A source of time and alarms."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, in UTC."""

    def call_at(self, when: datetime, callback: Callable[[], None]) -> Alarm:
        """Run the callback once on the running event loop, at or after `when`; soon if that is in the past."""

    async def sleep_until(self, when: datetime) -> None:
        """Return at or after `when`."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def call_at(self, when: datetime, callback: Callable[[], None]) -> Alarm:
        # The event loop's clock stops while a laptop sleeps. Alarms therefore wait in short slices, so that a timer
        # that came due during the sleep rings within one slice of waking up.
        return _SlicedAlarm(clock=self, when=when, callback=callback)

    async def sleep_until(self, when: datetime) -> None:
        while (left_s := (when - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - the reason is in call_at
            await asyncio.sleep(min(left_s, _SLICE_S))


class VirtualClock:
    """A clock that moves only when a test advances it."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._alarms: list[tuple[datetime, int, _Pending]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        return self._now

    def call_at(self, when: datetime, callback: Callable[[], None]) -> Alarm:
        pending = _Pending(callback)
        heapq.heappush(self._alarms, (when, next(self._order), pending))
        if when <= self._now:
            # On a running loop a past alarm rings automatically; without one it rings at the next `advance`.
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().call_soon(self.advance_to, self._now)
        return pending

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

    def advance(self, step: timedelta) -> None:
        """Advance by `step` and ring every alarm that comes due, in order, each at its own time."""
        self.advance_to(self._now + step)

    def advance_to(self, when: datetime) -> None:
        """Advance to `when`. A time in the past does not move the clock but rings the alarms that are already due."""
        while self._alarms and self._alarms[0][0] <= max(when, self._now):
            due, _, pending = heapq.heappop(self._alarms)
            self._now = max(self._now, due)
            pending.ring()
        self._now = max(self._now, when)

    def next_alarm(self) -> datetime | None:
        """Return the time of the earliest alarm that is not canceled, or `None`."""
        while self._alarms and self._alarms[0][2].cancelled:
            heapq.heappop(self._alarms)
        return self._alarms[0][0] if self._alarms else None


_SLICE_S = 5.0


class _Pending:
    __slots__ = ("_callback", "cancelled")

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def ring(self) -> None:
        if not self.cancelled:
            self.cancelled = True
            self._callback()


class _SlicedAlarm:
    def __init__(self, *, clock: SystemClock, when: datetime, callback: Callable[[], None]) -> None:
        self._clock = clock
        self._when = when
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self._arm()

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _arm(self) -> None:
        left_s = (self._when - self._clock.now()).total_seconds()
        delay_s = min(max(left_s, 0.0), _SLICE_S)
        self._handle = asyncio.get_running_loop().call_later(delay_s, self._ring)

    def _ring(self) -> None:
        if self._clock.now() >= self._when:
            self._callback()
        else:
            self._arm()
