"""How often a region may be asked to create or delete, in sliding windows: pure arithmetic on times.

Source: container-instances-resource-and-quota-limits: 100 creates and 100 deletes in 5 minutes, 300 each in an hour,
for a subscription and region.
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
"""Added to each window: a request reaches Azure some seconds after it was admitted, each after its own time."""
DOCUMENTED = (Rate(window_s=300.0 + MARGIN_S, most=100), Rate(window_s=3_600.0 + MARGIN_S, most=300))

EVERYWHERE = (Rate(window_s=15.0, most=150),)
"""Of all regions together, since they share the resource manager's bucket: 200 writes, and as many deletes, which fill
again with 10 a second. Source: request-limits-and-throttling."""


def free_now(times: Sequence[float], rates: Sequence[Rate], now: float) -> int | None:
    """Return how many more are allowed now; None: any number.

    >>> free_now([0.0, 5.0], [Rate(window_s=10, most=3)], 9.0), free_now([0.0, 5.0], [Rate(window_s=10, most=3)], 10.0)
    (1, 2)
    """
    frees = [rate.most - sum(at > now - rate.window_s for at in times) for rate in rates]
    return max(min(frees), 0) if frees else None


def nth_time(times: Sequence[float], rates: Sequence[Rate], now: float, ahead: int) -> float:
    """Return the earliest time of one more, after `ahead` others have each taken theirs.

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
    """Return the times that some window still counts."""
    longest_s = max((rate.window_s for rate in rates), default=0.0)
    return tuple(at for at in times if at > now - longest_s)
