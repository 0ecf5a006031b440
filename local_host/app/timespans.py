"""How long is a .NET TimeSpan? `[days.]hh:mm[:ss[.fraction]]`, the form of durations in host.json and bindings."""

from __future__ import annotations

import re
from datetime import timedelta

from local_host.errors import HostError


class BadTimeSpan(HostError):
    """The text is not a TimeSpan."""


def parse_timespan(text: str) -> timedelta:
    """Parse a TimeSpan.

    >>> parse_timespan("1.02:00:05")
    datetime.timedelta(days=1, seconds=7205)

    Errors: `BadTimeSpan`.
    """
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise BadTimeSpan(f"'{text}' is not a time span such as 00:00:05 or 1.00:00:00")
    days, hours, minutes, seconds, fraction = match.groups()
    micros = int((fraction or "0").ljust(6, "0")[:6])
    return timedelta(
        days=int(days or 0), hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0), microseconds=micros
    )


_PATTERN = re.compile(r"(?:(\d+)\.)?([01]?\d|2[0-3]):([0-5]?\d)(?::([0-5]?\d)(?:\.(\d{1,7}))?)?")
