"""Times, durations, sizes and money in words. Times are in the viewer's time zone, with UTC on hover."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from html import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from mayfly.wording.times import span


def viewer_zone() -> tzinfo:
    """Return the time zone of the viewer's browser, or UTC if it is unknown."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def clock(at: datetime, zone: tzinfo | None = None) -> str:
    """Return the viewer's time of day, to the second.

    >>> clock(datetime(2026, 1, 31, 12, 0, tzinfo=UTC), ZoneInfo("Asia/Tokyo"))
    '21:00:00'
    """
    return f"{at.astimezone(zone or viewer_zone()):%H:%M:%S}"


def date_and_time(at: datetime, zone: tzinfo | None = None) -> str:
    """Return the viewer's date and time.

    >>> date_and_time(datetime(2026, 1, 31, 23, 0, tzinfo=UTC), ZoneInfo("Asia/Tokyo"))
    '1 Feb 2026, 08:00:00'
    """
    local = at.astimezone(zone or viewer_zone())
    return f"{local.day} {local:%b %Y, %H:%M:%S}"


def moment_html(at: datetime | None, text: str | None = None) -> str:
    """Return a time, or a text about it, as HTML, with UTC on hover; empty if there is no time."""
    if at is None:
        return ""
    utc = at.astimezone(UTC)
    shown = text or date_and_time(at)
    return f'<time datetime="{utc.isoformat()}" title="{utc:%Y-%m-%d %H:%M:%S.%f} UTC">{escape(shown)}</time>'


def clock_html(at: datetime | None) -> str:
    """Return a time of day as HTML, with UTC on hover; empty if there is no time."""
    return moment_html(at, clock(at)) if at else ""


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago a time was, in one unit.

    >>> from datetime import timedelta
    >>> now = datetime(2026, 1, 31, tzinfo=UTC)
    >>> [ago(now - timedelta(seconds=s), now) for s in (1, 42, 200, 7_300, 200_000)]
    ['just now', 'just now', '3 min ago', '2 h ago', '2 d ago']
    """
    seconds = (now - at).total_seconds()
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit} ago"
    return "just now"


def lasting(seconds: float) -> str:
    """Return a duration; if it is short, in milliseconds.

    >>> lasting(0.0042), lasting(0.25), lasting(75)
    ('4 ms', '250 ms', '1 min 15 s')
    """
    return f"{seconds * 1_000:.0f} ms" if seconds < 0.95 else span(seconds)


def size(count: float) -> str:
    """Return a number of bytes.

    >>> [size(n) for n in (512, 65_536, 31_457_280, 5e9)]
    ['512 B', '66 kB', '31 MB', '5.0 GB']
    """
    if count < 1_000:
        return f"{count:.0f} B"
    for unit, length in (("GB", 1e9), ("MB", 1e6)):
        if count >= length:
            return f"{count / length:.{1 if count < 10 * length else 0}f} {unit}"
    return f"{count / 1e3:.0f} kB"


def money(usd: float) -> str:
    """Return an amount of money, with four decimals if it is less than a dollar.

    >>> [money(a) for a in (0, 0.00000012, 0.0082, 1.5, 1234.5)]
    ['$0', '< $0.0001', '$0.0082', '$1.50', '$1,234.50']
    """
    if usd == 0:
        return "$0"
    if usd < 0.0001:
        return "< $0.0001"
    return f"${usd:.4f}" if usd < 1 else f"${usd:,.2f}"
