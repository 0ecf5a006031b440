"""When is a failed trigger tried again? The retry policies of the Functions host.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-error-pages (retry policies): `fixed_delay` takes
`delay_interval`, `exponential_backoff` takes `minimum_interval` and `maximum_interval`; -1 retries mean without end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local_host.app.timespans import BadTimeSpan, parse_timespan
from local_host.errors import HostError


class BadRetryPolicy(HostError):
    """A policy that the real host would refuse too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    retries_max: int
    """-1 for no end."""
    first_pause: timedelta
    pause_max: timedelta
    doubles: bool

    def pause(self, failures: int) -> timedelta | None:
        """Return how long to wait after so many failures in a row, or `None` when no more is tried.

        >>> RetryPolicy(
        ...     retries_max=5, first_pause=timedelta(seconds=1), pause_max=timedelta(seconds=3), doubles=True
        ... ).pause(3)
        datetime.timedelta(seconds=3)
        """
        if 0 <= self.retries_max < failures:
            return None
        if not self.doubles:
            return self.first_pause
        # 2^40 of any pause is more than any maximum; beyond that the multiplication would overflow.
        factor: int = 2 ** min(failures - 1, 40)
        return min(self.first_pause * factor, self.pause_max)


def read_policy(raw: Mapping[str, Any]) -> RetryPolicy:
    """Read what `@app.retry` has stored. Errors: `BadRetryPolicy`."""
    strategy = raw.get("strategy")
    try:
        retries_max = int(raw["max_retry_count"])
    except (KeyError, TypeError, ValueError):
        raise BadRetryPolicy(f"max_retry_count must be a whole number (got {raw.get('max_retry_count')!r})") from None
    if strategy == "fixed_delay":
        pause = _interval(raw, "delay_interval")
        return RetryPolicy(retries_max=retries_max, first_pause=pause, pause_max=pause, doubles=False)
    if strategy == "exponential_backoff":
        return RetryPolicy(
            retries_max=retries_max,
            first_pause=_interval(raw, "minimum_interval"),
            pause_max=_interval(raw, "maximum_interval"),
            doubles=True,
        )
    raise BadRetryPolicy(f"the retry strategy must be fixed_delay or exponential_backoff (got {strategy!r})")


def _interval(raw: Mapping[str, Any], name: str) -> timedelta:
    try:
        return parse_timespan(str(raw.get(name)))
    except BadTimeSpan as fault:
        raise BadRetryPolicy(f"{name} of the retry policy: {fault}") from None
