"""What time is it, and when is something due? Every part of the host is given a clock and uses no other.

A test passes a clock that moves only when it is advanced, so that days pass in milliseconds. Times are always
timezone-aware and in UTC.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, in UTC."""

    async def sleep_until(self, when: datetime) -> None:
        """Return at or after `when`."""

    async def wait(self, event: asyncio.Event, until: datetime | None) -> None:
        """Return once the event is set, or at or after `until`; `None` waits for the event alone.

        Other tasks run first in any case, so a loop of waits for a time in the past does not block them.
        """


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, when: datetime) -> None:
        await self.wait(asyncio.Event(), when)

    async def wait(self, event: asyncio.Event, until: datetime | None) -> None:
        await asyncio.sleep(0)
        if until is None:
            await event.wait()
            return
        while not event.is_set() and (left_s := (until - self.now()).total_seconds()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, _SLICE_S)):
                    await event.wait()


# The event loop's clock stops while a laptop sleeps. With waits in short slices, a timer that came due during the sleep
# rings within one slice of waking up.
_SLICE_S = 5.0
