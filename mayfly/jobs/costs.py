"""The cost of a job, and how much of it was waste.

A container is billed for the cores and gigabytes that were requested, from the start of its image pull until it stops.
The log covers a slightly longer time: from the request until the container is confirmed gone. So these are upper bounds
(source: container-instances-pricing; restart policy Never stops the bill at the container's own end).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mayfly.jobs.job import Job


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Container seconds, split by what they produced."""

    useful_s: float
    """From request to outcome, of the attempt that succeeded or is still running."""
    failed_s: float
    """From request to outcome, of attempts that failed, timed out, were canceled or were lost."""
    idle_s: float
    """From outcome to the confirmed end of the container, of every attempt."""

    @property
    def total_s(self) -> float:
        """All container seconds."""
        return self.useful_s + self.failed_s + self.idle_s

    @property
    def waste_s(self) -> float:
        """Container seconds that produced nothing."""
        return self.failed_s + self.idle_s


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Prices of one place, in USD."""

    cpu_hour: float
    memory_gb_hour: float

    def per_hour(self, *, cpu: float, memory_gb: float) -> float:
        """Return the hourly price of a container of this size.

        >>> Prices(cpu_hour=0.04, memory_gb_hour=0.005).per_hour(cpu=1, memory_gb=2)
        0.05
        """
        return cpu * self.cpu_hour + memory_gb * self.memory_gb_hour


EAST_US = Prices(cpu_hour=0.0405, memory_gb_hour=0.00445)
"""USD per hour, Linux. Source: the Retail Prices API, Container Instances, East US, as of August 2026."""


def cost(job: Job, now: datetime) -> Cost:
    """Return the cost of a job's containers so far, in seconds of the job's size."""
    useful = failed = idle = 0.0
    for attempt in job.attempts:
        if attempt.outcome == "refused":
            continue  # no container was created
        stopped_at = attempt.gone_at or now
        ended_at = attempt.ended_at or stopped_at
        if attempt.outcome in (None, "succeeded"):
            useful += _seconds(attempt.requested_at, ended_at)
        else:
            failed += _seconds(attempt.requested_at, ended_at)
        idle += _seconds(ended_at, stopped_at)
    return Cost(useful_s=useful, failed_s=failed, idle_s=idle)


def _seconds(begun: datetime, ended: datetime) -> float:
    return max(0.0, (ended - begun).total_seconds())
