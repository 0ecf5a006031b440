"""Carry out a command on a job: load, decide, append; and again when somebody else was quicker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mayfly.clock import Clock
from mayfly.errors import NotFound, PositionTaken, TryAgain
from mayfly.jobs.commands import Command
from mayfly.jobs.decide import decide
from mayfly.jobs.events import Event
from mayfly.jobs.job import Job, fold
from mayfly.log.event_log import EventLog

_TRIES = 20
"""Writers of one stream are few (its orchestrator, its worker, a person), so a handful always suffices."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a command."""

    before: Job
    """The job that the decision was made on."""
    after: Job
    events: Sequence[Event]
    """What was appended; empty when there was nothing to do."""


class Streams:
    """The log, seen as jobs."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def load(self, job_id: str) -> Job:
        """Return the job as it is now.

        Errors: `NotFound`.
        """
        job = fold(await self._log.read(job_id))
        if job is None:
            raise NotFound(job_id)
        return job

    async def carry_out(self, command: Command, job: Job) -> Outcome:
        """Append what follows from the command, and nothing when it had happened already.

        The job that is given may be out of date: the append finds out.
        Errors: `NotFound`, `TryAgain`.
        """
        for _ in range(_TRIES):
            events = decide(job, command, self._clock.now())
            if not events:
                return Outcome(before=job, after=job, events=())
            try:
                await self._log.append(events, expected_position=job.position)
            except PositionTaken:
                job = await self.load(job.job_id)
                continue
            return Outcome(before=job, after=fold(events, job) or job, events=events)
        raise TryAgain(f"the stream of {job.job_id} moved {_TRIES} times while a command was decided")
