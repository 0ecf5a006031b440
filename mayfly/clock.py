"""The source of the current time: an argument, so that tests can simulate days in milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of the current time."""

    def now(self) -> datetime:
        """Return the current time as an aware UTC datetime."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def stamp(at: datetime) -> str:
    """Return a time as UTC text of fixed length, which sorts in the order of time.

    >>> stamp(datetime.fromisoformat("2026-01-31T14:00:00+02:00"))
    '2026-01-31T12:00:00.000000+00:00'
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds")
