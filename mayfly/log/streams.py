"""Carry out a command on a job: load, decide, append; and again when somebody else was quicker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
"""Writers of one stream are few (its orchestrator, its worker, a person), so a handful always suffices."""
_REMEMBERED_MAX = 500
"""Jobs, of some 4 KB each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a command."""

    before: Job
    """The job that the decision was made on."""
    after: Job
    events: Sequence[Event]
    """What was appended; empty when there was nothing to do."""
    verdict: Verdict | None = None
    """How a report stands; None: the command was not a report."""


class Streams:
    """The log, seen as jobs.

    It remembers the jobs that it folded last and reads only what has come since. That is safe because a stream only
    grows (I2), and what it remembers can be lost at any time.
    """

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._known: dict[str, Job] = {}

    async def load(self, job_id: str) -> Job:
        """Return the job as it is now.

        Errors: `NotFound`.
        """
        job = await self.find(job_id)
        if job is None:
            raise NotFound(job_id)
        return job

    async def find(self, job_id: str) -> Job | None:
        """Return the job as it is now; None when there is none."""
        known = self._known.pop(job_id, None)
        bind(job_id, len(known.attempts) if known else 0)
        job = fold(await self._log.read(job_id, after=known.position if known else 0), known)
        if job is not None:
            self._remember(job)
        return job

    async def open(self, command: SubmitJob) -> Job | None:
        """Append the first event of a stream and return the job; None where the stream exists already.

        Errors: `TryAgain`.
        """
        bind(command.job_id)
        decision = submit(command, self._clock.now())
        try:
            await self._append(decision, expected_position=0)
        except PositionTaken:
            return None
        return decision.job

    async def carry_out(self, command: Command, job: Job) -> Outcome:
        """Append what follows from the command, and nothing when it had happened already.

        The job that is given may be out of date: the append finds out.
        Errors: `NotFound`, `TryAgain`.
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
        """Note whom this is about; keep the job as the most recent, and forget the least recent beyond the limit."""
        bind(job.job_id, len(job.attempts))
        self._known.pop(job.job_id, None)
        self._known[job.job_id] = job
        if len(self._known) > _REMEMBERED_MAX:
            del self._known[next(iter(self._known))]
