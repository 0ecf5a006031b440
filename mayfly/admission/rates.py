"""Rate limits for creates and deletes in a region, as sliding windows: pure arithmetic on times.

Source: container-instances-resource-and-quota-limits: 100 creates and 100 deletes in 5 minutes, 300 of each in an hour,
per subscription and region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """At most `most` in any `window_s` seconds."""

    window_s: float
    most: int


MARGIN_S = 10.0
"""Added to each window: a request reaches Azure seconds after its admission, and this delay varies."""
DOCUMENTED = (Rate(window_s=300.0 + MARGIN_S, most=100), Rate(window_s=3_600.0 + MARGIN_S, most=300))
"""The limits of one region, for creates and for deletes."""

EVERYWHERE = (Rate(window_s=15.0, most=150),)
"""The limit of all regions together. They share one token bucket of 200 writes and one of 200 deletes, each refilled at
10 a second. Source: request-limits-and-throttling."""


def free_now(times: Sequence[float], rates: Sequence[Rate], now: float) -> int | None:
    """Return how many more requests are allowed now; None: there is no limit.

    >>> free_now([0.0, 5.0], [Rate(window_s=10, most=3)], 9.0), free_now([0.0, 5.0], [Rate(window_s=10, most=3)], 10.0)
    (1, 2)
    """
    frees = [rate.most - sum(at > now - rate.window_s for at in times) for rate in rates]
    return max(min(frees), 0) if frees else None


def nth_time(times: Sequence[float], rates: Sequence[Rate], now: float, ahead: int) -> float:
    """Return the earliest time for one more request, after `ahead` others.

    >>> rates = [Rate(window_s=10, most=2)]
    >>> nth_time([0.0, 0.0], rates, 1.0, 0), nth_time([0.0, 0.0], rates, 1.0, 2)
    (10.0, 20.0)
    """
    coming = sorted(times)
    at = now
    for _ in range(ahead + 1):
        for rate in rates:
            if len(coming) >= rate.most:
                at = max(at, coming[-rate.most] + rate.window_s)
        coming.append(at)
    return at


def pruned(times: Sequence[float], rates: Sequence[Rate], now: float) -> tuple[float, ...]:
    """Return the times that fall into at least one window."""
    longest_s = max((rate.window_s for rate in rates), default=0.0)
    return tuple(at for at in times if at > now - longest_s)
