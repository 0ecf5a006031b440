"""When do timer triggers run? On schedule, one run at a time, and once at startup for runs missed in the meantime.

The next due time is kept in the task hub. If the host was down at that time, it runs the function once at the next
start, marked as past due. A function with `use_monitor=False` has no such memory.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-timer.
"""

from __future__ import annotations

import logging
from datetime import datetime

from azure.functions.timer import TimerRequest

from local_host.app.functions import Function
from local_host.app.invocation import Invoker
from local_host.app.schedules import Schedule
from local_host.clock import Clock
from local_host.durable.history import from_micros, micros
from local_host.durable.hub import TaskHub

log = logging.getLogger("local_host.triggers.timers")


class TimerTrigger:
    """One timer function. Errors: `ValueError` if the function has no schedule."""

    def __init__(self, function: Function, *, hub: TaskHub, clock: Clock, invoker: Invoker) -> None:
        if function.schedule is None:
            raise ValueError(f"function '{function.name}' has no schedule; only timer functions have one")
        self.function = function
        self._schedule: Schedule = function.schedule
        self._hub = hub
        self._clock = clock
        self._invoker = invoker
        self._monitored = function.trigger.get("useMonitor") is not False
        self._last: datetime | None = None
        hub.db.execute(_SCHEMA)

    async def run(self) -> None:
        """Run the function on schedule until canceled."""
        due, past_due = self._first_due()
        if self.function.trigger.get("runOnStartup"):
            await self.fire(due, past_due=past_due)
            due = self._next()
        while due is not None:
            await self._clock.sleep_until(due)
            await self.fire(self._next(), past_due=past_due)
            past_due = False
            due = self._next()
        log.warning(
            "Timer function '%s' has no further due time (schedule: %s).", self.function.name, self._schedule.text
        )

    async def run_once(self, _: str) -> None:
        """Run the function now; timers take no input."""
        await self.fire()

    async def fire(self, next_due: datetime | None = None, *, past_due: bool = False) -> None:
        """Run the function once, now, including its retries."""
        request = TimerRequest(
            past_due=past_due,
            schedule_status={"Last": _iso(self._last), "Next": _iso(next_due), "LastUpdated": _iso(self._last)},
            schedule={"AdjustForDST": True},
        )
        await self._invoker.call_with_retries(self.function, request, self._clock)
        self._last = self._clock.now()
        self._store_status()

    def _first_due(self) -> tuple[datetime | None, bool]:
        row = self._hub.db.execute(
            "SELECT schedule,last,next FROM schedules WHERE function=?", (self.function.name,)
        ).fetchone()
        if row is None or row[0] != self._schedule.text or not self._monitored:
            # Stored right away, so that a run missed during the first downtime is detected.
            self._store_status()
            return self._next(), False
        self._last = None if row[1] is None else from_micros(row[1])
        missed = row[2] is not None and from_micros(row[2]) <= self._clock.now()
        return (self._clock.now() if missed else self._next()), missed

    def _next(self) -> datetime | None:
        return self._schedule.next_after(self._clock.now())

    def _store_status(self) -> None:
        if not self._monitored:
            return
        next_due = self._next()
        self._hub.db.execute(
            "INSERT INTO schedules(function,schedule,last,next) VALUES(?,?,?,?) ON CONFLICT(function) DO UPDATE SET"
            " schedule=excluded.schedule,last=excluded.last,next=excluded.next",
            (
                self.function.name,
                self._schedule.text,
                None if self._last is None else micros(self._last),
                None if next_due is None else micros(next_due),
            ),
        )


_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS schedules("
    "function TEXT PRIMARY KEY, schedule TEXT NOT NULL, last INTEGER, next INTEGER)"
)


def _iso(when: datetime | None) -> str:
    return "0001-01-01T00:00:00+00:00" if when is None else when.isoformat()
