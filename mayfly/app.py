"""The ports that use cases take. This module imports no adapter; `composition.py` chooses them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from mayfly.admission.admission import Admission
from mayfly.clock import Clock, SystemClock
from mayfly.containers.runtime import ContainerRuntime
from mayfly.intake.intake_record import IntakeRecord
from mayfly.jobs.costs import Prices
from mayfly.jobs.next_step import PollPolicy
from mayfly.log.event_log import EventLog
from mayfly.log.stats import LogStats
from mayfly.log.streams import Streams
from mayfly.report_tokens import ReportTokens
from mayfly.secrets.store import SecretStore
from mayfly.views.job_views import JobViews
from mayfly.views.stats import JobStats


class AsyncCloseable(Protocol):
    """Something that holds connections open."""

    async def close(self) -> None:
        """Close the connections."""


@dataclass(frozen=True, kw_only=True)
class Mayfly:
    """Everything that the use cases need."""

    clock: Clock
    log: EventLog
    views: JobViews
    runtime: ContainerRuntime
    admission: Admission
    secrets: SecretStore
    tokens: ReportTokens
    polls: PollPolicy
    public_url: str
    """The address that workers report to, without `/api`."""
    place: str
    """The place that jobs prefer."""
    prices: Prices
    intake: IntakeRecord
    """Rejected messages."""
    resources: tuple[AsyncCloseable, ...] = ()
    """Everything else that `close` closes."""

    @cached_property
    def streams(self) -> Streams:
        """The log, read and written as jobs."""
        return Streams(self.log, self.clock)

    async def close(self) -> None:
        """Close the connections of the stores and the resources."""
        await _close(self.log, self.views, self.intake, *self.resources)


@dataclass(frozen=True, kw_only=True)
class ReadStores:
    """The stores of a process that only reads: opened for reading, without anything that runs containers."""

    log: EventLog
    views: JobViews
    stats: JobStats
    log_stats: LogStats
    prices: Prices
    store: str
    """The stores in words, for people."""
    runtime: ContainerRuntime | None = None

    @cached_property
    def streams(self) -> Streams:
        """The log, read as jobs."""
        return Streams(self.log, SystemClock())

    async def close(self) -> None:
        """Close the connections of the stores."""
        await _close(self.log, self.views, self.stats, self.log_stats)


async def _close(*opened: AsyncCloseable) -> None:
    """Close all of them, even if one fails; then raise its error."""
    async with AsyncExitStack() as stack:
        for one in reversed(opened):
            stack.push_async_callback(one.close)
