"""Mayfly on Azure by a virtual clock: engine, activities and the real SDK against the fake endpoint, hours in seconds.

Workers live on the clock too: each claims its attempt when its container starts and reports when its course is over,
with the token and the variables that it was really given.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from mayfly import composition
from mayfly.admission.ledger import MemoryLedger
from mayfly.app import Mayfly
from mayfly.composition import admission_to
from mayfly.containers.aci.runtime import AciOptions, AciRuntime
from mayfly.credentials import PlaintextCredential
from mayfly.errors import Rejected
from mayfly.intake.sqlite import SqliteIntakeRecord
from mayfly.jobs.costs import Prices
from mayfly.jobs.events import Event
from mayfly.jobs.job import Job
from mayfly.jobs.next_step import AZURE_POLLS
from mayfly.jobs.places import parse_places
from mayfly.jobs.spec import JobSpec
from mayfly.report_tokens import ReportTokens
from mayfly.use_cases.receive_report import receive
from mayfly.use_cases.reconcile import reconcile
from mayfly.use_cases.submit import submit
from mayfly.views.sqlite.job_views import SqliteJobViews
from tests.azure.drivers import EngineDriver
from tests.fake_arm.arm import FakeArm
from tests.fake_arm.backing import Course, Inside, TimedBacking
from tests.fake_arm.limits import Limits
from tests.fake_arm.server import serving
from tests.mayfly.composed import KnownSecrets
from tests.mayfly.log.memory import MemoryEventLog
from tests.virtual_clock import VirtualClock

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@dataclass(kw_only=True)
class Clocked:
    """Everything that a test holds in its hands."""

    clock: VirtualClock
    arm: FakeArm
    mayfly: Mayfly
    driver: EngineDriver
    secrets: KnownSecrets
    _due: list[tuple[datetime, int, Callable[[], Any]]] = field(default_factory=list)
    _order: Any = field(default_factory=itertools.count)
    silent: set[str] = field(default_factory=set)
    """Groups whose worker never says anything."""
    killed: set[str] = field(default_factory=set)
    """Groups whose worker is killed where it would have reported its end."""
    taciturn: bool = False
    """True: no worker sends heartbeats."""
    reconciles: bool = False
    """True: the reconciler makes its pass every 30 seconds, as in triggers/timers.py."""

    async def start(self, job_id: str) -> None:
        """See `Orchestrators.start`."""
        self.driver.start(job_id)

    async def wake(self, job_id: str, event: str) -> None:
        """See `Orchestrators.wake`."""
        self.driver.wake(job_id, event)

    async def missing(self, job_ids: Sequence[str]) -> Sequence[str]:
        """See `Orchestrators.missing`."""
        return ()

    async def submit(self, spec: JobSpec | None = None) -> str:
        submission = await submit(self.mayfly, self, spec or JobSpec(message="hi"), source="http")
        return submission.job.job_id

    async def job(self, job_id: str) -> Job:
        return await self.mayfly.streams.load(job_id)

    async def events(self, job_id: str) -> Sequence[Event]:
        return await self.mayfly.log.read(job_id)

    def live(self, inside: Inside, at: datetime, course: Course) -> None:
        """Let a worker live: claim at its start, report at its end."""
        if "MAYFLY_REPORT_TOKEN" not in inside.env or inside.group in self.silent:
            return
        claim = f"{next(self._order):032x}"
        end: dict[str, Any] = {"type": "finished", "claim": claim, "exit_code": course.exit_code}
        if course.exit_code == 0:
            end |= {"outcome": "succeeded", "result": {"n": 1}, "output_tail": course.output}
        else:
            error = {"class": "exit", "message": f"the command exited with code {course.exit_code}"}
            end |= {"outcome": "failed", "error": error, "output_tail": course.output}
        self._at(at, lambda: self._report(inside, {"type": "started", "claim": claim}))
        interval_s = float(inside.env["MAYFLY_HEARTBEAT_SECONDS"])
        for sequence in range(1, 1 if self.taciturn else math.ceil(course.run_s / interval_s)):
            heartbeat = {"type": "progress", "claim": claim, "sequence": sequence}
            self._at(at + timedelta(seconds=sequence * interval_s), partial(self._report, inside, heartbeat))
        if inside.group not in self.killed:
            self._at(at + timedelta(seconds=course.run_s), lambda: self._report(inside, end))

    async def run(self, *, until: timedelta = timedelta(days=2)) -> None:
        """Let time pass until nothing is left to do."""
        end = self.clock.now() + until
        next_pass = self.clock.now()
        while True:
            await self._work()
            times = [self._due[0][0]] if self._due else []
            if (due := self.driver.next_due()) is not None:
                times += [due, *([next_pass] if self.reconciles else [])]
            times += [going] if (going := self.arm.next_due()) is not None else []
            if not times or min(times) > end:
                return
            self.clock.advance_to(min(times))
            await self.arm.settle()
            while self._due and self._due[0][0] <= self.clock.now():
                await heapq.heappop(self._due)[2]()
            if self.reconciles and self.clock.now() >= next_pass:
                await reconcile(self.mayfly, self)
                next_pass = self.clock.now() + timedelta(seconds=30)

    def _at(self, at: datetime, act: Callable[[], Any]) -> None:
        heapq.heappush(self._due, (at, next(self._order), act))

    async def _report(self, inside: Inside, document: Mapping[str, Any]) -> None:
        group = self.arm.groups.get(inside.group)
        if group is None or group.gone_at is not None:
            return  # its container is being killed
        authorization = f"Bearer {inside.env['MAYFLY_REPORT_TOKEN']}"
        try:
            job_id = inside.env["MAYFLY_JOB_ID"]
            attempt = self.mayfly.tokens.check(authorization, job_id, now=self.clock.now())
            await receive(self.mayfly, self, job_id, attempt, document)
        except Rejected:
            return

    async def _work(self) -> None:
        """Do all that can be done now, activities side by side."""
        await self.arm.settle()
        while await self.driver.work():
            await self.arm.settle()


@asynccontextmanager
async def on_azure(
    *,
    places: str = "swedencentral",
    limits: Limits | Mapping[str, Limits] = Limits(),  # noqa: B008 - frozen
    course: Callable[[Inside], Course] = lambda _: Course(),
    start_after_s: float = 0.5,
    gone_after_s: float = 1.0,
) -> AsyncIterator[Clocked]:
    """Put it together, and take it apart afterwards."""
    clock = VirtualClock(START)
    clocked: Clocked
    backing = TimedBacking(clock.now, course, lambda *life: clocked.live(*life))  # noqa: PLW0108 - not there yet
    arm = FakeArm(
        clock=clock.now, backing=backing, limits=limits, start_after_s=start_after_s, gone_after_s=gone_after_s
    )
    async with serving(arm, by_itself=False) as endpoint:
        options = AciOptions(subscription="s", resource_group="rg", worker_image="worker:1", endpoint=endpoint)
        runtime = AciRuntime(options, credential=PlaintextCredential(), clock=clock.now)
        log, secrets = MemoryEventLog(), KnownSecrets({"db-password": "planted-S3cr3t-value"})
        mayfly = Mayfly(
            clock=clock,
            log=log,
            views=SqliteJobViews(":memory:"),
            intake=SqliteIntakeRecord(":memory:"),
            runtime=runtime,
            admission=admission_to(parse_places(places), runtime=runtime, log=log, ledger=MemoryLedger()),
            secrets=secrets,
            tokens=ReportTokens(b"the key of the tests, 32 bytes or more"),
            polls=AZURE_POLLS,
            public_url="http://mayfly.test",
            place=parse_places(places)[0].name,
            resources=(runtime,),
            prices=Prices(cpu_hour=0.0405, memory_gb_hour=0.00445),
        )
        driver = EngineDriver(clock)
        clocked = Clocked(clock=clock, arm=arm, mayfly=mayfly, driver=driver, secrets=secrets)
        composition.use(mayfly)
        try:
            yield clocked
        finally:
            composition.use(None)
            driver.close()
            await mayfly.close()
