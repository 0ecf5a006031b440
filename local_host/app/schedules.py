"""When is a timer trigger due? NCRONTAB expressions of five or six fields, and TimeSpans.

Six fields: second minute hour day month weekday; five fields are the last five. Each is `*`, a number, a name (months
and weekdays, English, three letters or whole), a range `a-b`, a step `/n` after any of them, or a list with commas.
Weekdays are 0 to 6, Sunday is 0. All fields must hold together: unlike in Unix cron, day *and* weekday. Schedules run
in UTC, as they do in Azure unless WEBSITE_TIME_ZONE says otherwise, which this host does not read.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-timer (NCRONTAB); github.com/atifaziz/NCrontab.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local_host.app.timespans import BadTimeSpan, parse_timespan
from local_host.errors import HostError


class BadSchedule(HostError):
    """An expression that is not a schedule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A schedule, either of calendar fields or of one interval.

    Shapes: `fields` are six sorted tuples of numbers; `interval` is set instead for a TimeSpan.
    """

    text: str
    fields: tuple[tuple[int, ...], ...] = ()
    interval: timedelta | None = None

    def next_after(self, when: datetime) -> datetime | None:
        """Return the first time after `when`, or `None` if there is none (February 30th).

        >>> parse_schedule("0 30 9 * * 1-5").next_after(datetime(2026, 1, 2, 10, tzinfo=UTC)).isoformat()
        '2026-01-05T09:30:00+00:00'
        """
        if self.interval is not None:
            return when + self.interval
        seconds, minutes, hours, days, months, weekdays = self.fields
        start = when.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        day = start.replace(hour=0, minute=0, second=0)
        for _ in range(_DAYS_MAX):
            if day.month in months and day.day in days and (day.weekday() + 1) % 7 in weekdays:
                earliest = max(start, day)
                found = _first_time(earliest, hours, minutes, seconds)
                if found is not None:
                    return found
            day += timedelta(days=1)
        return None


def parse_schedule(text: str) -> Schedule:
    """Read an expression. Errors: `BadSchedule`, naming the field."""
    parts = text.split()
    if len(parts) == 1:
        try:
            interval = parse_timespan(text)
        except BadTimeSpan as fault:
            raise BadSchedule(f"the schedule {fault}, nor a cron expression") from None
        if interval <= timedelta(0):
            raise BadSchedule(f"the schedule '{text}' must be longer than nothing")
        return Schedule(text=text, interval=interval)
    if len(parts) == 5:
        parts = ["0", *parts]
    if len(parts) != 6:
        raise BadSchedule(f"the schedule '{text}' must have six fields: second minute hour day month weekday")
    fields = tuple(_field(part, *bounds, text) for part, bounds in zip(parts, _BOUNDS, strict=True))
    return Schedule(text=text, fields=fields)


# Leap years repeat after eight years at most (around 2100), and a weekday falls on one within 40.
_DAYS_MAX = 366 * 40

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")

_BOUNDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("weekday", 0, 6, _WEEKDAYS),
)


def _first_time(
    earliest: datetime, hours: tuple[int, ...], minutes: tuple[int, ...], seconds: tuple[int, ...]
) -> datetime | None:
    for hour in hours:
        if hour < earliest.hour:
            continue
        for minute in minutes:
            if (hour, minute) < (earliest.hour, earliest.minute):
                continue
            for second in seconds:
                if (hour, minute, second) >= (earliest.hour, earliest.minute, earliest.second):
                    return earliest.replace(hour=hour, minute=minute, second=second)
    return None


def _field(part: str, name: str, low: int, high: int, names: tuple[str, ...], text: str) -> tuple[int, ...]:
    numbers: set[int] = set()
    for item in part.split(","):
        match = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?", item)
        if match is None or (match[1] == "*" and match[2]):
            raise BadSchedule(f"the schedule '{text}': '{item}' is not understood in the field {name}")
        first = low if match[1] == "*" else _number(match[1], name, low, high, names, text)
        if match[2]:
            last = _number(match[2], name, low, high, names, text)
        else:
            last = high if match[1] == "*" or match[3] else first
        step = int(match[3] or 1)
        if step == 0:
            raise BadSchedule(f"the schedule '{text}': the step in '{item}' must not be 0")
        # NCrontab takes a range backwards as the same range forwards.
        numbers.update(range(min(first, last), max(first, last) + 1, step))
    return tuple(sorted(numbers))


def _number(word: str, name: str, low: int, high: int, names: tuple[str, ...], text: str) -> int:
    if word.isdigit():
        if low <= int(word) <= high:
            return int(word)
        raise BadSchedule(f"the schedule '{text}': {name} must be between {low} and {high} (got {word})")
    matches = [i for i, full in enumerate(names) if len(word) >= 3 and full.startswith(word.lower())]
    if len(matches) != 1:
        raise BadSchedule(f"the schedule '{text}': '{word}' is not understood in the field {name}")
    return matches[0] + low
