"""The projection: a view is the fold of its stream, whatever the order and number of deliveries (I10)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.jobs.events import Event
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.jobs.spec import JobSpec, RetryPolicy
from mayfly.views.job_views import JobFilter, JobViews
from mayfly.views.projection import project, rebuild
from mayfly.views.sqlite.job_views import SqliteJobViews
from tests.mayfly.jobs.histories import History, histories, live
from tests.mayfly.jobs.samples import JOB_ID, job_id_numbered, opening
from tests.mayfly.log.memory import MemoryEventLog
from tests.sampling import examples, seeded, seeds

Answer = TypeVar("Answer")

_settings = examples(60)


def _with_views(use: Callable[[JobViews], Awaitable[Answer]]) -> Answer:
    """Open views, use them, and always close them: Hypothesis may stop an example at any point."""

    async def run() -> Answer:
        views = SqliteJobViews(":memory:")
        try:
            return await use(views)
        finally:
            await views.close()

    return asyncio.run(run())


async def _logged(history: History) -> MemoryEventLog:
    log = MemoryEventLog()
    await log.append(history.events, expected_position=0)
    return log


@given(histories(), st.randoms(use_true_random=False))
@_settings
def test_after_every_delivery_a_view_is_the_fold_up_to_its_position(history: History, chance: random.Random) -> None:
    """Deliveries are shuffled, repeated and cut anywhere; some events never come."""

    async def deliver(views: JobViews) -> None:
        log = await _logged(history)
        position = 0
        for _ in range(6):
            batch = chance.choices(history.events, k=chance.randrange(1, 6))
            moved = await project(batch, log=log, views=views)
            kept = (await views.get_many([JOB_ID])).get(JOB_ID)
            assert kept is not None
            assert kept.position >= max(event.position for event in batch)
            assert moved == (1 if kept.position > position else 0)
            assert kept == fold(history.events[: kept.position])
            position = kept.position

    _with_views(deliver)


@given(histories(), st.randoms(use_true_random=False))
@_settings
def test_after_all_deliveries_the_view_is_the_job(history: History, chance: random.Random) -> None:
    async def deliver(views: JobViews) -> Job | None:
        log = await _logged(history)
        events = list(history.events)
        chance.shuffle(events)
        for event in events:
            await project([event], log=log, views=views)
        return (await views.get_many([JOB_ID])).get(JOB_ID)

    assert _with_views(deliver) == history.last


def test_an_empty_delivery_changes_nothing() -> None:
    async def deliver(views: JobViews) -> int:
        return await project([], log=MemoryEventLog(), views=views)

    assert _with_views(deliver) == 0


@seeded
@pytest.mark.parametrize("seed", seeds(4))
def test_two_projectors_that_overlap_leave_the_later_view(seed: int) -> None:
    """A lease may move during a batch, so two projectors may process the same events at once."""
    chance = random.Random(seed)
    history = _life(chance)

    async def deliver(views: JobViews) -> Job | None:
        log = await _logged(history)
        halves: list[list[Event]] = [history.events[: len(history.events) // 2], history.events]
        chance.shuffle(halves)
        await asyncio.gather(*(project(half, log=log, views=views) for half in halves))
        return (await views.get_many([JOB_ID])).get(JOB_ID)

    assert _with_views(deliver) == history.last


def test_a_rebuild_creates_the_same_views_and_drops_jobs_that_are_not_in_the_log() -> None:
    async def again(views: JobViews) -> None:
        log = MemoryEventLog()
        chance = random.Random(3)
        for number in range(1, 30):
            await log.append([opening(job_id_numbered(number))], expected_position=0)
        history = _life(chance)
        await log.append(history.events[:1], expected_position=0)
        for event in history.events[1:]:
            await log.append([event], expected_position=event.position - 1)
        everything = [recorded.event for recorded in await log.read_all()]
        await project(everything, log=log, views=views)
        before = (await views.page(JobFilter(archived=True), limit=200)).jobs
        stranger = fold([opening(job_id_numbered(999))])
        assert stranger is not None
        await views.save([stranger])
        assert await rebuild(log=log, views=views) == len(everything)
        assert (await views.page(JobFilter(archived=True), limit=200)).jobs == before

    _with_views(again)


def _life(chance: random.Random) -> History:
    spec = JobSpec(message="hi", name="resize", retry=RetryPolicy(max_attempts=4))
    return live(spec, [chance.randrange(2**32) for _ in range(60)])
