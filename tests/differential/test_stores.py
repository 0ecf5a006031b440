"""A seeded run of operations on the memory model, SQLite and the Cosmos DB server: each answer and each state is equal.

Lives of several jobs are appended in bursts, right and wrong, while the feed delivers late, twice and out of order to
the views. What a run never managed to do it has not tested, so each kind of operation must have succeeded.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mayfly.errors import PositionTaken
from mayfly.jobs import events as e
from mayfly.jobs.evolve import fold
from mayfly.jobs.lifecycle import STATES
from mayfly.jobs.spec import JobSpec, RetryPolicy
from mayfly.log.cosmos import CosmosEventLog
from mayfly.log.event_log import EventLog
from mayfly.log.memory import MemoryEventLog
from mayfly.log.sqlite import SqliteEventLog
from mayfly.views.cosmos import CosmosJobViews
from mayfly.views.job_views import JobFilter, JobViews
from mayfly.views.projection import project, rebuild
from mayfly.views.sqlite import SqliteJobViews
from tests.cosmos_server.server import CosmosServer
from tests.jobs.histories import live
from tests.jobs.samples import job_id_numbered

JOBS = 6
STEPS = 120
KINDS = {
    "append one", "append several", "append at a taken position", "append beyond the end", "append twice",
    "read a stream", "read a part", "read all", "reopen",
    "project", "project again", "rebuild", "page", "page with a filter", "count", "unsettled", "clear",
}  # fmt: skip


class Run:
    """Three logs, two kinds of views, and what has been written so far."""

    def __init__(self, server: CosmosServer, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self._server = server
        self._folder = folder
        server.opened += 1
        self._database = f"test{server.opened}"
        self.model = MemoryEventLog()
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

    async def close(self) -> None:
        for log in self.logs.values():
            await log.close()
        for views in self.views.values():
            await views.close()

    def _life(self, number: int) -> list[e.Event]:
        labels = {"team": ("blue", "red")[number % 2]}
        spec = JobSpec(command=("true",), labels=labels, retry=RetryPolicy(max_attempts=3))
        history = live(spec, [self.chance.randrange(2**32) for _ in range(60)])
        return [replace(event, job_id=job_id_numbered(number)) for event in history.events]

    def stamped(self, events: list[e.Event]) -> list[e.Event]:
        """Return events as of now: the whole run's clock rises, as one writer's does."""
        at = self.lives[0][0].at + timedelta(seconds=len(self.written))
        return [replace(event, at=at) for event in events]

    async def same(self, call: Callable[[EventLog], Awaitable[Any]]) -> Any:
        """Return what the model answers; every log must answer the same."""
        expected = await _answer(call(self.model))
        for name, log in self.logs.items():
            assert await _answer(call(log)) == expected, name
        return expected

    async def same_views(self, call: Callable[[JobViews], Awaitable[Any]]) -> Any:
        first, *others = [(name, await call(views)) for name, views in self.views.items()]
        for name, answer in others:
            assert answer == first[1], name
        return first[1]

    async def step(self) -> str:
        """Do one operation and return its kind."""
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
        return await self._views(kind)

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
        """Hold every view against the fold of its stream up to its position (I10)."""
        for number in range(JOBS):
            job_id = job_id_numbered(number)
            kept = (await self.same_views(lambda views, job_id=job_id: views.get_many([job_id]))).get(job_id)  # type: ignore[misc]
            if kept is not None:
                stream = [event for event in self.written if event.job_id == job_id]
                assert kept == fold(stream[: kept.position])


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


@pytest.mark.parametrize("seed", range(4))
def test_every_store_answers_as_the_model_does(cosmos_server: CosmosServer, tmp_path: Path, seed: int) -> None:
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
