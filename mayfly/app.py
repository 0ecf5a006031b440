"""The ports that use cases take. Imports no adapter; `composition.py` fills these in."""

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

    async def close(self) -> None: ...


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
    pace: PollPolicy
    public_url: str
    """Without `/api`; what a worker reports to."""
    place: str
    """Where a job goes first."""
    rates: Prices
    intake: IntakeRecord
    """Messages that were refused."""
    resources: tuple[AsyncCloseable, ...] = ()
    """What else is to be closed, beside the stores."""

    @cached_property
    def streams(self) -> Streams:
        """The log, seen as jobs."""
        return Streams(self.log, self.clock)

    async def close(self) -> None:
        """Release what the stores hold open."""
        await _close(self.log, self.views, self.intake, *self.resources)


@dataclass(frozen=True, kw_only=True)
class ReadStores:
    """What a process needs that only reads: stores opened for reading, and nothing that runs containers."""

    log: EventLog
    views: JobViews
    figures: JobStats
    gauge: LogStats
    rates: Prices
    store: str
    """What the stores are, for people."""
    runtime: ContainerRuntime | None = None

    @cached_property
    def streams(self) -> Streams:
        """The log, seen as jobs."""
        return Streams(self.log, SystemClock())

    async def close(self) -> None:
        """Release what the stores hold open."""
        await _close(self.log, self.views, self.figures, self.gauge)


async def _close(*opened: AsyncCloseable) -> None:
    """Close all of them, even if one fails; then raise its error."""
    async with AsyncExitStack() as stack:
        for one in reversed(opened):
            stack.push_async_callback(one.close)
