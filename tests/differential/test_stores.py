"""A seeded run of operations on the memory model, SQLite and the Cosmos DB server: all answers and states are equal.

Histories of several jobs are appended in bursts, at right and wrong positions. The feed delivers late, twice and out of
order to the views and job stats, and jobs request places through each ledger. Each kind of operation must succeed at
least once, or the run has not tested it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mayfly.admission.admission import Admitted
from mayfly.admission.cosmos import CosmosLedger
from mayfly.admission.ledger import Ledger, LedgerState, MemoryLedger, Reservation
from mayfly.admission.placement import HoldPolicy
from mayfly.admission.placement_admission import PlacementAdmission
from mayfly.admission.rates import Rate
from mayfly.admission.sqlite import SqliteLedger
from mayfly.errors import PositionTaken
from mayfly.jobs import events as e
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import STATES
from mayfly.jobs.places import Place, Quota, parse_places
from mayfly.jobs.spec import JobSpec, RetryPolicy
from mayfly.log.cosmos.event_log import CosmosEventLog
from mayfly.log.cosmos.stats import CosmosLogStats
from mayfly.log.event_log import EventLog
from mayfly.log.sqlite.event_log import SqliteEventLog
from mayfly.log.sqlite.stats import SqliteLogStats
from mayfly.log.stats import LogStats
from mayfly.views.cosmos.job_views import CosmosJobViews
from mayfly.views.cosmos.stats import CosmosJobStats
from mayfly.views.job_views import JobFilter, JobViews
from mayfly.views.projection import project, rebuild
from mayfly.views.sqlite.job_views import SqliteJobViews
from mayfly.views.sqlite.stats import SqliteJobStats
from mayfly.views.stats import Attention, Bucket, JobStats, Span
from tests.contracts.job_views import job
from tests.cosmos_server.server import CosmosServer
from tests.mayfly.jobs.histories import live
from tests.mayfly.jobs.samples import T0, job_id_numbered
from tests.mayfly.log.memory import MemoryEventLog
from tests.sampling import seeded, seeds

JOBS = 6
STEPS = 120
KINDS = {
    "append one", "append several", "append at a taken position", "append beyond the end", "append twice",
    "read a stream", "read a part", "read all", "reopen",
    "project", "project again", "rebuild", "page", "page with a filter", "count", "unsettled", "clear",
    "submitted", "attention", "attempts", "positions", "growth", "last",
    "admit", "hold", "release", "delete", "wait to delete", "write the ledger late",
}  # fmt: skip
JOB_STATS = ("submitted", "attention", "attempts", "positions")
ADMISSION = ("admit", "hold", "release", "delete", "wait to delete", "write the ledger late")
PLACES = parse_places("swedencentral,westeurope")
QUOTA = Quota(groups_max=3, cores_max=4.0)
RATES = (Rate(window_s=20.0, most=2),)
HOLDS = HoldPolicy(front_hold_s=15.0, step_s=3.0, hold_max_s=900.0)


class Run:
    """Three logs and ledgers, two kinds of views and job stats, and the events written so far."""

    def __init__(self, server: CosmosServer, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self._server = server
        self._folder = folder
        server.opened += 1
        self._database = f"test{server.opened}"
        self.model = MemoryEventLog()
        self.memory_ledger = MemoryLedger()
        self.now = T0
        self.logs: dict[str, EventLog] = {}
        self.views: dict[str, JobViews] = {}
        self.open()
        self.lives = [self._life(number) for number in range(JOBS)]
        self.lengths = [0] * JOBS
        self.written: list[e.Event] = []
        self.done: Counter[str] = Counter()

    def open(self) -> None:
        account = self._server.account(self._database)
        self.logs = {"sqlite": SqliteEventLog(self._folder / "log.db"), "cosmos": CosmosEventLog(account)}
        self.views = {"sqlite": SqliteJobViews(self._folder / "views.db"), "cosmos": CosmosJobViews(account)}
        self.job_stats: dict[str, JobStats] = {
            "sqlite": SqliteJobStats(self._folder / "views.db"),
            "cosmos": CosmosJobStats(account),
        }
        self.ledgers: dict[str, Ledger] = {
            "memory": self.memory_ledger,
            "sqlite": SqliteLedger(self._folder / "ledger.db"),
            "cosmos": CosmosLedger(account),
        }
        self.admissions = {name: _admission(ledger) for name, ledger in self.ledgers.items()}

    async def close(self) -> None:
        for log in self.logs.values():
            await log.close()
        for views in self.views.values():
            await views.close()
        for job_stats in self.job_stats.values():
            await job_stats.close()
        for ledger in self.ledgers.values():
            await ledger.close()

    def _life(self, number: int) -> list[e.Event]:
        labels = {"team": ("blue", "red")[number % 2]}
        spec = JobSpec(command=("true",), labels=labels, retry=RetryPolicy(max_attempts=3))
        history = live(spec, [self.chance.randrange(2**32) for _ in range(60)])
        return [replace(event, job_id=job_id_numbered(number)) for event in history.events]

    def stamped(self, events: list[e.Event]) -> list[e.Event]:
        """Return events with the current time: the clock rises over the whole run, as with a single writer."""
        at = self.lives[0][0].at + timedelta(seconds=len(self.written))
        return [replace(event, at=at) for event in events]

    async def same(self, call: Callable[[EventLog], Awaitable[Any]]) -> Any:
        """Return the model's answer; every log must give the same one."""
        expected = await _answer(call(self.model))
        for name, log in self.logs.items():
            assert await _answer(call(log)) == expected, name
        return expected

    async def same_views(self, call: Callable[[JobViews], Awaitable[Any]]) -> Any:
        return _one_answer([(name, await call(views)) for name, views in self.views.items()])

    async def same_job_stats(self, call: Callable[[JobStats], Awaitable[Any]]) -> Any:
        return _one_answer([(name, await call(job_stats)) for name, job_stats in self.job_stats.items()])

    async def same_admission(self, call: Callable[[PlacementAdmission], Awaitable[Any]]) -> Any:
        return _one_answer([(name, await call(admission)) for name, admission in self.admissions.items()])

    async def step(self) -> str:
        """Do one operation and return its kind; empty: it did not succeed."""
        kind = self.chance.choice(sorted(KINDS))
        number = self.chance.randrange(JOBS)
        if kind.startswith("append"):
            return kind if await self._append(kind, number) else ""
        if kind in ("read a stream", "read a part"):
            part = {"after": self.chance.randrange(4), "limit": self.chance.randrange(1, 4)}
            found = await self.same(
                lambda log: _events(log, job_id_numbered(number), **(part if kind == "read a part" else {}))
            )
            return kind if found else ""
        if kind == "read all":
            assert await self.same(_whole_log) == self.written
            return kind if self.written else ""
        if kind == "reopen":
            await self.close()
            self.open()
            return kind
        if kind in ("growth", "last"):
            return kind if await self._log_stats(kind) else ""
        if kind in JOB_STATS:
            return kind if await self._job_stats(kind) else ""
        if kind in ADMISSION:
            return kind if await self._admission(kind, number) else ""
        return await self._views(kind)

    async def _log_stats(self, kind: str) -> bool:
        """Compare stats that were opened just now. Older ones cache past hours, and this run writes into past hours."""
        account = self._server.account(self._database)
        both: tuple[LogStats, ...] = (SqliteLogStats(self._folder / "log.db"), CosmosLogStats(account))
        times = [T0 + timedelta(seconds=self.chance.randrange(-5, 200)) for _ in range(4)]
        answers: list[list[Any]] = []
        for log_stats in both:
            if kind == "last":
                answers.append(list(await log_stats.last(7)))
            else:
                answers.append([(await log_stats.size()).events, *await log_stats.written_by(times)])
            await log_stats.close()
        assert answers[0] == answers[1]
        if kind == "last":
            tail = [(one.job_id, one.position, one.at) for one in reversed(answers[0])]
            assert tail == [(event.job_id, event.position, event.at) for event in self.written[-7:]]
        else:
            assert answers[0] == [len(self.written), *(sum(event.at <= at for event in self.written) for at in times)]
        return bool(self.written)

    async def _job_stats(self, kind: str) -> bool:
        if kind == "submitted":
            spans: tuple[Span, ...] = ("minute", "hour", "day")
            span = self.chance.choice(spans)
            archived = self.chance.random() < 0.5
            return bool(
                await self.same_job_stats(lambda job_stats: _listed_buckets(job_stats, span, archived=archived))
            )
        if kind == "attempts":
            return bool(await self.same_job_stats(_latest))
        if kind == "positions":
            ids = [job_id_numbered(number) for number in range(JOBS + 1)]
            return bool(await self.same_job_stats(lambda job_stats: job_stats.positions(ids)))
        held, _ = await self.same_job_stats(lambda job_stats: _attention(job_stats, "held"))
        lingering, _ = await self.same_job_stats(lambda job_stats: _attention(job_stats, "lingering"))
        return bool(held or lingering)

    async def _admission(self, kind: str, number: int) -> bool:
        self.now += timedelta(seconds=self.chance.randrange(8))
        now, asking = self.now, _asking(number)
        if kind in ("admit", "hold"):
            answer = await self.same_admission(lambda admission: admission.admit(asking, now=now))
            return isinstance(answer, Admitted) == (kind == "admit")
        if kind == "release":
            state, _ = await self.memory_ledger.read()
            await self.same_admission(lambda admission: admission.release(asking.job_id))
            return state is not None and asking.job_id in state.reservations
        if kind == "write the ledger late":
            return await self._late()
        wait = await self.same_admission(lambda admission: admission.may_delete("westeurope", now=now))
        return (wait is None) == (kind == "delete")

    async def _late(self) -> bool:
        """Write over a version that another write has replaced."""
        answers = []
        for name, ledger in self.ledgers.items():
            state, version = await ledger.read()
            if state is None:
                return False
            changed = replace(state, cooldowns={})
            first = await ledger.write(changed, expected=version)
            late = await ledger.write(LedgerState(), expected=version)
            answers.append((name, (first, late)))
        assert _one_answer(answers) == (True, False)
        return True

    async def _append(self, kind: str, number: int) -> bool:
        length, life = self.lengths[number], self.lives[number]
        size = self.chance.randrange(2, 5) if kind == "append several" else 1
        expected = length
        if kind in ("append at a taken position", "append twice"):
            expected = length - 1 if kind == "append twice" else self.chance.randrange(max(1, length))
        elif kind == "append beyond the end":
            expected = length + self.chance.randrange(1, 4)
        if (
            expected < 0
            or not (burst := life[expected : expected + size])
            or (kind.endswith("several") and len(burst) < 2)
        ):
            return False
        events = self.stamped(burst)
        if kind == "append twice":
            [events] = [
                [event] for event in self.written if event.position == length and event.job_id == burst[0].job_id
            ]
        outcome = await self.same(lambda log: log.append(events, expected_position=expected))
        if outcome is None:
            self.written += events
            self.lengths[number] += len(events)
        taken = kind in ("append at a taken position", "append beyond the end", "append twice")
        assert (outcome is not None) == (taken and (length > 0 or kind != "append at a taken position"))
        return taken == (outcome is not None)

    async def _views(self, kind: str) -> str:
        chance = self.chance
        if kind in ("project", "project again"):
            if not self.written:
                return ""
            recent = self.written[-15:] if kind == "project" else self.written
            batch = chance.choices(recent, k=min(10, len(recent)))
            for name, views in self.views.items():
                await project(batch, log=self.logs[name], views=views)
        elif kind == "rebuild":
            for name, views in self.views.items():
                assert await rebuild(log=self.logs[name], views=views) == len(self.written)
        elif kind == "clear":
            for views in self.views.values():
                await views.clear()
        elif kind in ("page", "page with a filter"):
            job_filter = JobFilter(archived=True)
            if kind == "page with a filter":
                states = frozenset(chance.sample(STATES, 4))
                job_filter = JobFilter(states=states, labels={"team": chance.choice(("blue", "red"))})
            page = await self.same_views(lambda views: views.page(job_filter, limit=2))
            if page.cursor is not None:
                await self.same_views(lambda views: views.page(job_filter, limit=200, cursor=page.cursor))
            return kind if page.jobs else ""
        elif kind == "count":
            return kind if any((await self.same_views(lambda views: views.count_by_state())).values()) else ""
        else:
            return kind if await self.same_views(_listed) else ""
        return kind

    async def compare(self) -> None:
        """Compare each view with the fold of its stream up to its position (I10), the job stats with the views, and the
        ledgers with each other."""
        projected = 0
        for number in range(JOBS):
            job_id = job_id_numbered(number)
            kept = (await self.same_views(lambda views, job_id=job_id: views.get_many([job_id]))).get(job_id)  # type: ignore[misc]
            if kept is not None:
                stream = [event for event in self.written if event.job_id == job_id]
                assert kept == fold(stream[: kept.position])
                projected += kept.position
        assert await self.same_job_stats(lambda job_stats: job_stats.projected()) == projected
        _one_answer([(name, (await ledger.read())[0]) for name, ledger in self.ledgers.items()])


def _one_answer(answers: Sequence[tuple[str, Any]]) -> Any:
    """Return the common answer; fail if two differ."""
    first, *others = answers
    for name, answer in others:
        assert answer == first[1], f"{name} differs from {first[0]}"
    return first[1]


def _admission(ledger: Ledger) -> PlacementAdmission:
    async def present() -> dict[str, Reservation]:
        return {}

    async def quota(_: Place) -> Quota:
        return QUOTA

    return PlacementAdmission(PLACES, ledger=ledger, present=present, quota=quota, rates=RATES, holds=HOLDS)


def _asking(number: int) -> Job:
    """Return a job that requests a place; its size and priority depend on its number."""
    asking = job(number, after_s=number)
    return replace(asking, spec=JobSpec(message="hi", cpu=1 + number % 2, priority=4 + number % 3))


async def _listed_buckets(job_stats: JobStats, span: Span, *, archived: bool) -> list[Bucket]:
    return list(await job_stats.submitted(span, archived=archived))


async def _attention(job_stats: JobStats, kind: Attention) -> tuple[int, list[str]]:
    count, job_ids = await job_stats.attention(kind)
    return count, list(job_ids)


async def _latest(job_stats: JobStats) -> list[tuple[Any, ...]]:
    """Return the latest attempts, sorted; stores may order those that ended at the same time differently."""
    found = await job_stats.attempts(limit=100)
    return sorted((one.ended_at, one.outcome, sorted(one.seconds.items())) for one in found)


async def _answer(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except PositionTaken as taken:
        return (taken.job_id, taken.expected_position)


async def _events(log: EventLog, job_id: str, **part: int) -> list[e.Event]:
    return list(await log.read(job_id, **part))


async def _whole_log(log: EventLog) -> list[e.Event]:
    found: list[e.Event] = []
    after = 0
    while page := await log.read_all(after=after, limit=7):
        found += [recorded.event for recorded in page]
        after = page[-1].global_position
    return found


async def _listed(views: JobViews) -> list[str]:
    return list(await views.unsettled(limit=100))


@seeded
@pytest.mark.parametrize("seed", seeds(1))
def test_every_store_answers_like_the_model(
    cosmos_server: CosmosServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr("mayfly.views.cosmos.stats._ATTEMPTS_AGE_S", 0)

    async def go() -> Counter[str]:
        run = Run(cosmos_server, tmp_path, seed)
        try:
            while sum(run.done.values()) < STEPS or set(run.done) != KINDS:
                if kind := await run.step():
                    run.done[kind] += 1
                    await run.compare()
        finally:
            await run.close()
        return run.done

    done = asyncio.run(go())
    print(f"seed {seed}: {dict(done)}")
    assert set(done) == KINDS
