"""When is a timer trigger due? NCRONTAB expressions of five or six fields, and TimeSpans.

Six fields: second minute hour day month weekday. Five fields omit the second. Each field is `*`, a number, a name
(months and weekdays in English, in full or at least three letters), a range `a-b`, any of these with a step `/n`, or a
comma-separated list. Weekdays are 0 to 6, and Sunday is 0. All fields must match: unlike Unix cron, day *and* weekday.
Schedules run in UTC, as in Azure without WEBSITE_TIME_ZONE, which this host ignores.

This module parses NCRONTAB, because croniter's own grammar differs: it accepts `L`, `#`, `?` and Sunday as 7, rejects
full names, and reads the range `22-2` as 22 to 2, where NCRONTAB reads it as 2 to 22. croniter receives each field as a
list of numbers and finds the next time.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-timer (NCRONTAB); github.com/atifaziz/NCrontab.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from croniter import CroniterBadDateError, croniter  # type: ignore[import-untyped]

from local_host.app.timespans import BadTimeSpan, parse_timespan
from local_host.errors import HostError


class BadSchedule(HostError):
    """The text is not a valid schedule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A schedule: either a cron expression or an interval.

    Shapes: `text` is the schedule as the app wrote it. `cron` has six fields, seconds first, each a comma-separated
    list of numbers; it is empty for a TimeSpan, which sets `interval` instead.
    """

    text: str
    cron: str = ""
    interval: timedelta | None = None

    def next_after(self, when: datetime) -> datetime | None:
        """Return the first time after `when`, or `None` if the date never occurs, such as February 30.

        >>> parse_schedule("0 30 9 * * 1-5").next_after(datetime(2026, 1, 2, 10, tzinfo=UTC)).isoformat()
        '2026-01-05T09:30:00+00:00'
        """
        if self.interval is not None:
            return when + self.interval
        times = croniter(
            self.cron,
            when.astimezone(UTC),
            second_at_beginning=True,
            day_or=False,
            max_years_between_matches=_YEARS_MAX,
        )
        try:
            found: datetime = times.get_next(datetime)
        except CroniterBadDateError:
            return None
        return found


def parse_schedule(text: str) -> Schedule:
    """Parse an expression. Errors: `BadSchedule`, naming the field."""
    parts = text.split()
    if len(parts) == 1:
        try:
            interval = parse_timespan(text)
        except BadTimeSpan:
            raise BadSchedule(
                f"schedule '{text}' is neither an NCRONTAB expression (0 */5 * * * *) nor a time span (00:05:00)"
            ) from None
        if interval <= timedelta(0):
            raise BadSchedule(f"schedule '{text}' must be longer than zero, such as 00:05:00")
        return Schedule(text=text, interval=interval)
    if len(parts) == 5:
        parts = ["0", *parts]
    if len(parts) != 6:
        raise BadSchedule(
            f"schedule '{text}' must have six fields: second minute hour day month weekday (got {len(parts)})"
        )
    fields = (_numbers(part, *bounds, text) for part, bounds in zip(parts, _BOUNDS, strict=True))
    return Schedule(text=text, cron=" ".join(",".join(map(str, numbers)) for numbers in fields))


# Leap days are at most eight years apart (around 2100), and one falls on a given weekday at least every 40 years.
_YEARS_MAX = 40

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


def _numbers(part: str, name: str, low: int, high: int, names: tuple[str, ...], text: str) -> list[int]:
    numbers: set[int] = set()
    for item in part.split(","):
        match = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?", item)
        if match is None or (match[1] == "*" and match[2]):
            raise BadSchedule(f"schedule '{text}': '{item}' is not a valid {name}")
        first = low if match[1] == "*" else _number(match[1], name, low, high, names, text)
        if match[2]:
            last = _number(match[2], name, low, high, names, text)
        else:
            last = high if match[1] == "*" or match[3] else first
        step = int(match[3] or 1)
        if step == 0:
            raise BadSchedule(f"schedule '{text}': the step in '{item}' must be at least 1 (got 0)")
        numbers.update(range(min(first, last), max(first, last) + 1, step))
    return sorted(numbers)


def _number(word: str, name: str, low: int, high: int, names: tuple[str, ...], text: str) -> int:
    if word.isdigit():
        if low <= int(word) <= high:
            return int(word)
        raise BadSchedule(f"schedule '{text}': {name} must be between {low} and {high} (got {word})")
    matches = [i for i, full in enumerate(names) if len(word) >= 3 and full.startswith(word.lower())]
    if len(matches) != 1:
        raise BadSchedule(f"schedule '{text}': '{word}' is not a valid {name}")
    return matches[0] + low
