"""When is a failed trigger retried? The retry policies of the Functions host.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-error-pages (retry policies): `fixed_delay` takes
`delay_interval`, `exponential_backoff` takes `minimum_interval` and `maximum_interval`; -1 retries means no limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local_host.app.timespans import BadTimeSpan, parse_timespan
from local_host.errors import HostError


class BadRetryPolicy(HostError):
    """The retry policy is invalid; the host in Azure would reject it too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """A delay that doubles with each failure, up to a maximum. A fixed delay has the same first delay and maximum."""

    retries_max: int
    """-1 for no limit."""
    first_delay: timedelta
    delay_max: timedelta

    def delay(self, failures: int) -> timedelta | None:
        """Return the delay after this many failures in a row, or `None` if there is no further retry.

        >>> RetryPolicy(retries_max=5, first_delay=timedelta(seconds=1), delay_max=timedelta(seconds=3)).delay(3)
        datetime.timedelta(seconds=3)
        """
        if 0 <= self.retries_max < failures:
            return None
        # This many doublings exceed the maximum; many more would overflow.
        doublings_max = (self.delay_max // max(self.first_delay, timedelta.resolution)).bit_length()
        factor: int = 2 ** min(failures - 1, doublings_max)
        return min(self.first_delay * factor, self.delay_max)


def read_policy(raw: Mapping[str, Any]) -> RetryPolicy:
    """Read the settings that `@app.retry` stored. Errors: `BadRetryPolicy`."""
    strategy = raw.get("strategy")
    try:
        retries_max = int(raw["max_retry_count"])
    except (KeyError, TypeError, ValueError):
        given = raw.get("max_retry_count")
        raise BadRetryPolicy(f"max_retry_count of the retry policy must be a whole number (got {given!r})") from None
    if strategy not in _INTERVALS:
        raise BadRetryPolicy(f"retry strategy must be {' or '.join(_INTERVALS)} (got {strategy!r})")
    first_delay, delay_max = (_interval(raw, name) for name in _INTERVALS[strategy])
    return RetryPolicy(retries_max=retries_max, first_delay=first_delay, delay_max=delay_max)


_INTERVALS = {
    "fixed_delay": ("delay_interval", "delay_interval"),
    "exponential_backoff": ("minimum_interval", "maximum_interval"),
}
"""The settings of each strategy for the first delay and the maximum."""


def _interval(raw: Mapping[str, Any], name: str) -> timedelta:
    try:
        return parse_timespan(str(raw.get(name)))
    except BadTimeSpan as error:
        raise BadRetryPolicy(f"{name} of the retry policy: {error}") from None
