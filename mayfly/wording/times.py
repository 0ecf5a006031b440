"""Times and durations in words."""

from __future__ import annotations

from datetime import datetime


def clock(at: datetime) -> str:
    """Return the time of day in this machine's time zone."""
    return at.astimezone().strftime("%H:%M:%S.%f")[:-3]


def span(seconds: float) -> str:
    """Return a duration in at most two units.

    >>> [span(s) for s in (0.4, 12.34, 75, 1_800, 3_700, 100_000)]
    ['0.4 s', '12.3 s', '1 min 15 s', '30 min', '1 h 1 min', '1 d 3 h']
    """
    if seconds < 59.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 3_600:
        return _in_two(whole, ("min", 60), ("s", 1))
    return _in_two(whole, ("h", 3_600), ("min", 60)) if whole < 86_400 else _in_two(whole, ("d", 86_400), ("h", 3_600))


def _in_two(seconds: int, large: tuple[str, int], small: tuple[str, int]) -> str:
    count, rest = divmod(seconds, large[1])
    return f"{count} {large[0]}" + (f" {rest // small[1]} {small[0]}" if rest >= small[1] else "")
