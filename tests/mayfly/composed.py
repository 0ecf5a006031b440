"""Mayfly composed for tests: real stores and use cases, a clock moved by hand, and a scripted platform."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from mayfly.admission.single_machine import single_machine
from mayfly.app import Mayfly
from mayfly.composition import jobs_present
from mayfly.errors import SecretMissing, TryAgain
from mayfly.intake.sqlite import SqliteIntakeRecord
from mayfly.jobs.costs import Prices
from mayfly.jobs.events import Event
from mayfly.jobs.job import Job
from mayfly.jobs.next_step import LOCAL_POLLS, NextStep
from mayfly.jobs.reports import Verdict
from mayfly.jobs.spec import JobSpec
from mayfly.log.event_log import EventLog
from mayfly.log.sqlite.event_log import SqliteEventLog
from mayfly.report_tokens import ReportTokens
from mayfly.use_cases import attempts
from mayfly.use_cases.receive_report import receive
from mayfly.use_cases.submit import submit
from mayfly.views.projection import project
from mayfly.views.sqlite.job_views import SqliteJobViews
from tests.mayfly.jobs.samples import CLAIM, T0
from tests.mayfly.log.memory import MemoryEventLog
from tests.mayfly.scripted_runtime import ScriptedRuntime

REPORT_KEY = b"the key of the tests, 32 bytes or more"


class HandClock:
    """A clock that only `advance` moves."""

    def __init__(self) -> None:
        self._now = T0

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class RecordedOrchestrators:
    """`Orchestrators` that records its calls."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.woken: list[tuple[str, str]] = []
        self.living: set[str] = set()
        self.silent = False
        """True: the host does not answer."""

    async def start(self, job_id: str) -> None:
        self._answer()
        self.started.append(job_id)
        self.living.add(job_id)

    async def wake(self, job_id: str, event: str) -> None:
        self._answer()
        self.woken.append((job_id, event))

    async def missing(self, job_ids: Sequence[str]) -> Sequence[str]:
        self._answer()
        return [job_id for job_id in job_ids if job_id not in self.living]

    def _answer(self) -> None:
        if self.silent:
            raise TryAgain("the Durable host is silent")


@dataclass
class KnownSecrets:
    """A secret store of a few names."""

    values: dict[str, str] = field(default_factory=dict)
    silent: bool = False

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        if self.silent:
            raise TryAgain("the secret store is silent")
        for name in references.values():
            if name not in self.values:
                raise SecretMissing(name, f"add {name}")
        return {variable: self.values[name] for variable, name in references.items()}


@dataclass(kw_only=True)
class Composed:
    """Mayfly and everything that a test holds in its hands."""

    mayfly: Mayfly
    clock: HandClock
    runtime: ScriptedRuntime
    secrets: KnownSecrets
    runner: asyncio.Runner
    orchestrators: RecordedOrchestrators = field(default_factory=RecordedOrchestrators)

    def submit(self, spec: JobSpec | None = None) -> str:
        """Submit a job and return its id."""
        submission = self.runner.run(
            submit(self.mayfly, self.orchestrators, spec or JobSpec(message="hi"), source="http")
        )
        return submission.job.job_id

    def begin(self, job_id: str) -> NextStep:
        return self.runner.run(attempts.begin_attempt(self.mayfly, job_id))

    def observe(self, job_id: str) -> NextStep:
        return self.runner.run(attempts.observe_attempt(self.mayfly, job_id))

    def end(self, job_id: str) -> NextStep:
        return self.runner.run(attempts.end_attempt(self.mayfly, job_id))

    def report(self, job_id: str, document: Mapping[str, object], *, attempt: int = 1) -> Verdict:
        """Send a worker's report of that attempt."""
        return self.runner.run(receive(self.mayfly, self.orchestrators, job_id, attempt, document))

    def job(self, job_id: str) -> Job:
        return self.runner.run(self.mayfly.streams.load(job_id))

    def events(self, job_id: str) -> Sequence[Event]:
        return self.runner.run(self.mayfly.log.read(job_id))

    def types(self, job_id: str) -> list[str]:
        """Return the kinds of a job's events, in order."""
        return [event.type for event in self.events(job_id)]

    def whole_log(self) -> list[Event]:
        return [recorded.event for recorded in self.runner.run(self.mayfly.log.read_all(limit=100_000))]

    def project(self) -> None:
        """Bring the views up to date, as the change feed does."""
        self.runner.run(project(self.whole_log(), log=self.mayfly.log, views=self.mayfly.views))

    def token(self, job_id: str, attempt: int = 1, *, lifetime_s: float = 3_600) -> str:
        return self.mayfly.tokens.sign(job_id, attempt, now=self.clock.now(), lifetime_s=lifetime_s)

    def close(self) -> None:
        self.runner.run(self.mayfly.close())


def compose(runner: asyncio.Runner, *, folder: Path | None = None, groups_max: int = 100) -> Composed:
    """Put it together; on files where a folder is given, in memory otherwise."""
    clock, runtime, secrets = HandClock(), ScriptedRuntime(), KnownSecrets()
    log: EventLog = MemoryEventLog() if folder is None else SqliteEventLog(folder / "log.db")

    mayfly = Mayfly(
        clock=clock,
        log=log,
        views=SqliteJobViews(":memory:" if folder is None else folder / "views.db"),
        runtime=runtime,
        admission=single_machine("local", groups_max=groups_max, jobs_present=partial(jobs_present, runtime, log)),
        secrets=secrets,
        tokens=ReportTokens(REPORT_KEY),
        polls=LOCAL_POLLS,
        public_url="http://mayfly.test",
        place="local",
        prices=Prices(cpu_hour=0.05, memory_gb_hour=0.005),
        intake=SqliteIntakeRecord(":memory:"),
    )
    return Composed(mayfly=mayfly, clock=clock, runtime=runtime, secrets=secrets, runner=runner)


STARTED = {"type": "started", "claim": CLAIM}
SUCCEEDED = {"type": "finished", "claim": CLAIM, "outcome": "succeeded", "exit_code": 0, "result": {"sum": 3}}
