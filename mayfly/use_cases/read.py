"""The read service behind the HTTP API and the dashboard: each answer comes from the best source for it.

A single job is folded from its stream, so readers see their own writes. Lists come from the views, which may lag for a
moment. Output and metrics come from the container while it exists, and from the log afterwards. A process that runs no
containers reads only the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mayfly.app import Mayfly, ReadStores
from mayfly.errors import NotFound, RuntimeUnavailable
from mayfly.jobs import events as e
from mayfly.jobs.job import Job
from mayfly.secrets.masking import without_secrets
from mayfly.views.job_views import JobFilter, Page

LOG_BYTES_MAX = 1_048_576
"""How much of a running container's output one answer carries."""

TraceSource = Literal["container", "log", "report", "none"]
"""The source of an answer: the running container, the captured event, the worker's report, or none yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """The output of an attempt."""

    attempt: int
    source: TraceSource
    text: str
    truncated: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Readings:
    """CPU in cores and memory in bytes of an attempt's container, oldest first."""

    attempt: int
    source: TraceSource
    samples: tuple[tuple[datetime, float, int], ...]


class Reader:
    """Read jobs, streams, output and metrics.

    Errors: `NotFound` for a job that does not exist, `TryAgain` if a store does not answer.
    """

    def __init__(self, stores: Mayfly | ReadStores) -> None:
        self._stores = stores

    async def job(self, job_id: str) -> Job:
        """Return the current state of a job, folded from its stream."""
        return await self._stores.streams.load(job_id)

    async def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None) -> Page:
        """Return one page of jobs; see `JobViews.page`."""
        return await self._stores.views.page(job_filter, limit=limit, cursor=cursor)

    async def events(self, job_id: str, *, after: int, limit: int) -> Sequence[e.Event]:
        """Return a job's events after a position."""
        found = await self._stores.log.read(job_id, after=after, limit=limit)
        if not found and not await self._stores.log.read(job_id, limit=1):
            raise NotFound(job_id)
        return found

    async def output(self, job_id: str, *, attempt: int | None = None) -> Output:
        """Return the output of an attempt; None: the latest one."""
        job = await self.job(job_id)
        chosen = job.attempt if attempt is None else job.attempt_numbered(attempt)
        if chosen is None:
            return Output(attempt=0, source="none", text="", truncated=False)
        runtime = self._stores.runtime
        if chosen.container != "gone" and runtime is not None:
            try:
                tail = await runtime.logs(chosen.group, place=chosen.place, bytes_max=LOG_BYTES_MAX)
            except RuntimeUnavailable:
                tail = None
            if tail is not None and job.spec.image is not None and isinstance(self._stores, Mayfly):
                tail = await without_secrets(self._stores.secrets, job.spec.secrets, tail)
            if tail is not None:
                return Output(attempt=chosen.number, source="container", text=tail.text, truncated=tail.truncated)
        for body in await self._bodies(job_id, chosen.logs_position):
            if isinstance(body, e.LogsCaptured):
                return Output(attempt=chosen.number, source="log", text=body.text, truncated=body.truncated)
        for event in await self._stores.log.read(job_id):
            if event.attempt == chosen.number and isinstance(event.body, e.WorkerSucceeded | e.WorkerFailed):
                return Output(attempt=chosen.number, source="report", text=event.body.output_tail, truncated=True)
        return Output(attempt=chosen.number, source="none", text="", truncated=False)

    async def readings(self, job_id: str, *, attempt: int | None = None) -> Readings:
        """Return the CPU and memory use of an attempt's container; None: the latest attempt."""
        job = await self.job(job_id)
        chosen = job.attempt if attempt is None else job.attempt_numbered(attempt)
        if chosen is None:
            return Readings(attempt=0, source="none", samples=())
        runtime = self._stores.runtime
        if chosen.container not in ("gone", "deleting") and runtime is not None:
            try:
                samples = await runtime.metrics(chosen.group, place=chosen.place)
            except RuntimeUnavailable:
                samples = ()
            if samples:
                found = tuple((one.at, one.cpu_cores, one.memory_bytes) for one in samples)
                return Readings(attempt=chosen.number, source="container", samples=found)
        for body in await self._bodies(job_id, chosen.metrics_position):
            if isinstance(body, e.MetricsSampled):
                return Readings(attempt=chosen.number, source="log", samples=body.samples)
        return Readings(attempt=chosen.number, source="none", samples=())

    async def _bodies(self, job_id: str, position: int | None) -> Sequence[e.Body]:
        if position is None:
            return ()
        return [event.body for event in await self._stores.log.read(job_id, after=position - 1, limit=1)]
