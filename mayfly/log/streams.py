"""Carry out a command on a job: load, decide, append, and repeat if another writer was faster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from mayfly.clock import Clock
from mayfly.errors import NotFound, PositionTaken, TryAgain
from mayfly.jobs.commands import Command, SubmitJob
from mayfly.jobs.decide import Decision, decide, submit
from mayfly.jobs.events import Event
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.jobs.reports import Verdict
from mayfly.log.event_log import EventLog
from mayfly.telemetry.job_context import bind, log_events

_TRIES = 20
"""A stream has few writers (its orchestrator, its worker, a person), so a handful of tries is enough."""
_CACHED_MAX = 500
"""Jobs, of about 4 KB each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The result of a command."""

    before: Job
    """The job that the decision was based on."""
    after: Job
    """The job with `events` applied."""
    events: Sequence[Event]
    """The appended events; empty: there was nothing to do."""
    verdict: Verdict | None = None
    """How a report was judged; None: the command was not a report."""


class Streams:
    """The log, seen as jobs.

    It caches recently folded jobs and reads only their new events. This is safe because a stream only grows (I2), and
    the cache can be lost at any time.

    Errors: every method may raise `TryAgain`.
    """

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._known: LRUCache[str, Job] = LRUCache(_CACHED_MAX)

    async def load(self, job_id: str) -> Job:
        """Return the current job. Errors: `NotFound`."""
        job = await self.find(job_id)
        if job is None:
            raise NotFound(job_id)
        return job

    async def find(self, job_id: str) -> Job | None:
        """Return the current job; None: it does not exist."""
        known = self._known.get(job_id)
        bind(job_id, len(known.attempts) if known else 0)
        job = fold(await self._log.read(job_id, after=known.position if known else 0), known)
        if job is not None:
            self._remember(job)
        return job

    async def open(self, command: SubmitJob) -> Job | None:
        """Append the first event of a stream and return the job; None: the stream already exists."""
        bind(command.job_id)
        decision = submit(command, self._clock.now())
        try:
            await self._append(decision, expected_position=0)
        except PositionTaken:
            return None
        return decision.job

    async def carry_out(self, command: Command, job: Job) -> Outcome:
        """Append the events that follow from the command; none if it has already taken effect.

        `job` may be out of date: the append detects that, and the command is decided again. Errors: `NotFound`.
        """
        for _ in range(_TRIES):
            decision = decide(job, command, self._clock.now())
            if decision.events:
                try:
                    await self._append(decision, expected_position=job.position)
                except PositionTaken:
                    job = await self.load(job.job_id)
                    continue
            return Outcome(before=job, after=decision.job, events=decision.events, verdict=decision.verdict)
        raise TryAgain(f"gave up after {_TRIES} concurrent writes to the stream of {job.job_id}; retry")

    async def _append(self, decision: Decision, *, expected_position: int) -> None:
        await self._log.append(decision.events, expected_position=expected_position)
        log_events(decision.events)
        self._remember(decision.job)

    def _remember(self, job: Job) -> None:
        """Cache the job, and bind it to the log lines and spans that follow."""
        bind(job.job_id, len(job.attempts))
        self._known[job.job_id] = job
