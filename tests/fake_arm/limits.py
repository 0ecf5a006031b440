"""The limits of a region: quotas, and rates in sliding windows, as documented for Azure Container Instances."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Source: container-instances-resource-and-quota-limits; request-limits-and-throttling for `reads` and so on."""

    groups: int = 100
    cores: float = 100.0
    spot_cores: float = 100.0
    changes_5min: int = 100
    changes_hour: int = 300
    reads: tuple[int, float] = (250, 25.0)
    """Size of the token bucket, and its refill a second."""
    writes: tuple[int, float] = (200, 10.0)
    deletes: tuple[int, float] = (200, 10.0)


@dataclass
class Windows:
    """Creates, or deletes, of one region."""

    limits: Limits
    times: deque[datetime] = field(default_factory=deque)

    def wait_s(self, now: datetime) -> float | None:
        """Return how long until one more is allowed; None: it is now."""
        while self.times and self.times[0] <= now - timedelta(hours=1):
            self.times.popleft()
        hour_left = self.limits.changes_hour - len(self.times)
        recent = [at for at in self.times if at > now - timedelta(minutes=5)]
        if hour_left <= 0:
            return (self.times[0] + timedelta(hours=1) - now).total_seconds()
        if len(recent) >= self.limits.changes_5min:
            return (recent[0] + timedelta(minutes=5) - now).total_seconds()
        return None


@dataclass
class Bucket:
    """One token bucket of the resource manager."""

    size: int
    refill_per_s: float
    left: float
    at: datetime

    def take(self, now: datetime) -> bool:
        self.left = min(self.size, self.left + (now - self.at).total_seconds() * self.refill_per_s)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True
