"""Stores with jobs in every state, as a host would have left them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.jobs.decide import decide, submit
from mayfly.jobs.events import Event
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.jobs.names import job_id_for
from mayfly.jobs.spec import JobSpec, RetryPolicy
from mayfly.log.event_log import EventLog
from mayfly.log.sqlite.event_log import SqliteEventLog
from mayfly.views.job_views import JobViews
from mayfly.views.projection import project, rebuild
from mayfly.views.sqlite.job_views import SqliteJobViews
from tests.mayfly.jobs.samples import CLAIM

STARTED: tuple[c.Command, ...] = (c.RequestContainer(place="local"), c.ClaimAttempt(attempt=1, claim=CLAIM))
CLEANED: tuple[c.Command, ...] = (
    c.RequestDelete(
        attempt=1,
        log_text="first line\nsecond <b>line</b>\n\x1b[31mred\x1b[0m\n",
        samples=((datetime(2026, 1, 1, tzinfo=UTC), 0.5, 5_000_000), (datetime(2026, 1, 1, 0, 1, tzinfo=UTC), 0.2, 9)),
    ),
    c.ConfirmGone(attempt=1),
)


def succeeded(result: Any = None) -> tuple[c.Command, ...]:
    """Return the commands of a job that succeeds."""
    report = c.ReportWork(
        attempt=1, claim=CLAIM, body=e.WorkerSucceeded(result=result, exit_code=0, output_tail="the end\n", cpu_s=0.5)
    )
    progress = c.ReportWork(attempt=1, claim=CLAIM, body=e.WorkerProgressed(sequence=1, fraction=0.5, message="half"))
    return (*STARTED, progress, report, *CLEANED)


FAILED: tuple[c.Command, ...] = (
    *STARTED,
    c.ReportWork(
        attempt=1,
        claim=CLAIM,
        body=e.WorkerFailed(error="exit", message="exit code 7", exit_code=7, output_tail="oh no\n"),
    ),
    *CLEANED,
)
HELD: tuple[c.Command, ...] = (c.HoldJob(reason="100 of 100 groups in use", until=datetime(2030, 1, 1, tzinfo=UTC)),)
CANCELED: tuple[c.Command, ...] = (*STARTED, c.RequestCancel(source="http", reason="no more"))
"""Its container lingers."""


class Seeded:
    """Stores that are written like those of a host."""

    def __init__(self, log: EventLog, views: JobViews) -> None:
        self._runner = asyncio.Runner()
        self.log = log
        self.views = views

    @classmethod
    def in_files(cls, folder: Path) -> Seeded:
        return cls(SqliteEventLog(folder / "log.db"), SqliteJobViews(folder / "views.db"))

    def close(self) -> None:
        self._runner.run(self.log.close())
        self._runner.run(self.views.close())
        self._runner.close()

    def job(
        self,
        number: int,
        commands: Sequence[c.Command] = (),
        *,
        spec: JobSpec | None = None,
        ago_s: float = 600,
        projected: bool = True,
    ) -> str:
        """Write a job to which these commands happened, one second apart; return its id."""
        spec = spec or JobSpec(message=f"job {number}", retry=RetryPolicy(max_attempts=1))
        at = datetime.now(UTC) - timedelta(seconds=ago_s)
        job_id = job_id_for(seed=str(number).encode(), name=spec.name)
        stream: list[Event] = [*submit(c.SubmitJob(job_id=job_id, spec=spec, source="http"), at).events]
        for command in commands:
            at += timedelta(seconds=1)
            job = fold(stream)
            assert job is not None
            stream += decide(job, command, at).events
        self._runner.run(self.log.append(stream, expected_position=0))
        if projected:
            self.project()
        return job_id

    def then(self, job_id: str, *commands: c.Command) -> None:
        """Apply further commands to a job, now."""
        for command in commands:
            job = self.read(job_id)
            events = decide(job, command, datetime.now(UTC)).events
            self._runner.run(self.log.append(events, expected_position=job.position))
        self.project()

    def read(self, job_id: str) -> Job:
        job = fold(self._runner.run(self.log.read(job_id)))
        assert job is not None
        return job

    def begin(self) -> None:
        """Do what a host does at its first start."""
        self._runner.run(rebuild(log=self.log, views=self.views))

    def project(self) -> None:
        """Bring the views up to date."""
        recorded = self._runner.run(self.log.read_all(limit=100_000))
        self._runner.run(project([one.event for one in recorded], log=self.log, views=self.views))
