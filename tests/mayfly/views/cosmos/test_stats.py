"""`CosmosJobStats` with the real SDK: the contract, concurrent projectors, lost answers, and its cost."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mayfly.clock import stamp
from mayfly.cosmos.account import CosmosAccount
from mayfly.errors import TryAgain
from mayfly.jobs.job import Job
from mayfly.views.cosmos.job_views import CosmosJobViews
from mayfly.views.cosmos.stats import CosmosJobStats
from mayfly.views.job_views import JobViews
from mayfly.views.stats import Attention, JobStats
from mayfly.views.stats_of_job import WIDTHS
from tests.contracts.job_stats import JobStatsContract, life
from tests.contracts.job_views import job
from tests.cosmos_server.server import KEY, CosmosServer
from tests.mayfly.jobs.samples import T0, job_id_numbered
from tests.sampling import seeded, seeds

BATCH = {"verb": "POST", "path": "/colls/figures/docs"}


class TestCosmos(JobStatsContract):
    @pytest.fixture(autouse=True)
    def _server(self, cosmos_server: CosmosServer) -> None:
        self._cosmos = cosmos_server

    def open(self, folder: Path) -> tuple[JobViews, JobStats]:
        account = self._cosmos.account()
        return CosmosJobViews(account), CosmosJobStats(account)


def _lives(seed: int, jobs: int) -> list[Job]:
    """Return jobs at many positions, submitted over three months, in any order."""
    drawn = random.Random(seed)
    saves = []
    for number in range(jobs):
        at = T0 + timedelta(hours=number * 37)
        saves += [replace(one, submitted_at=at) for one in life(drawn, number)]
    drawn.shuffle(saves)
    return saves


async def _compare_with_jobs(job_stats: CosmosJobStats, latest: dict[str, Job]) -> None:
    """Assert that all stats equal counts over the jobs."""
    for archived in (False, True):
        shown = [one for one in latest.values() if archived or not one.archived]
        for span, width in WIDTHS.items():
            found = {
                (stamp(b.begun_at)[:width], b.state): b.jobs for b in await job_stats.submitted(span, archived=archived)
            }
            assert found == Counter((stamp(one.submitted_at)[:width], one.state) for one in shown), span
    assert await job_stats.projected() == sum(one.position for one in latest.values())
    assert await job_stats.positions(list(latest)) == {one.job_id: one.position for one in latest.values()}
    assert set((await job_stats.attention("lingering"))[1]) == {one.job_id for one in latest.values() if one.lingering}


@seeded
@pytest.mark.parametrize("seed", seeds(3))
def test_two_projectors_that_both_receive_everything_count_each_job_once(
    two: tuple[CosmosJobViews, CosmosJobViews], runner: asyncio.Runner, seed: int
) -> None:
    saves = _lives(seed, 20)
    latest: dict[str, Job] = {}
    for one in saves:
        if one.job_id not in latest or latest[one.job_id].position < one.position:
            latest[one.job_id] = one

    async def project(views: CosmosJobViews, order: int) -> None:
        mine = saves[:]
        random.Random(order).shuffle(mine)
        for begin in range(0, len(mine), 12):
            await views.save(mine[begin : begin + 12])

    async def go() -> None:
        await asyncio.gather(project(two[0], 1), project(two[1], 2))
        await _compare_with_jobs(two[0]._stats, latest)

    runner.run(go())


def test_stats_cleared_while_another_projector_saves_can_be_rebuilt(
    two: tuple[CosmosJobViews, CosmosJobViews], runner: asyncio.Runner
) -> None:
    jobs = [job(number, state="running", position=2) for number in range(70)]
    later = [job(number, state="failed", position=3) for number in range(70)]

    async def go() -> None:
        await two[0].save(jobs)
        await asyncio.gather(two[0].clear(), two[1].save(later))
        job_stats = two[0]._stats
        known = await job_stats.positions([one.job_id for one in jobs])
        assert set(known.values()) <= {2, 3}
        assert sum(b.jobs for b in await job_stats.submitted("minute")) == len(known)
        assert await job_stats.projected() == sum(known.values())
        await two[1].save(later)
        await two[0].save(later)
        await _compare_with_jobs(job_stats, {one.job_id: one for one in later})

    runner.run(go())


def test_lost_stats_make_the_views_incomplete_until_they_are_rebuilt(
    two: tuple[CosmosJobViews, CosmosJobViews], runner: asyncio.Runner
) -> None:
    assert not runner.run(two[0].complete())
    runner.run(two[0].note_complete())
    assert runner.run(two[0].complete())
    assert runner.run(two[1].complete())
    runner.run(two[1]._stats.clear())
    assert not runner.run(two[0].complete())
    runner.run(two[0].note_complete())
    assert runner.run(two[1].complete())
    runner.run(two[0].clear())
    assert not runner.run(two[1].complete())


def test_a_move_whose_answer_was_lost_counts_once(
    cosmos_server: CosmosServer, two: tuple[CosmosJobViews, CosmosJobViews], runner: asyncio.Runner
) -> None:
    for position in (1, 2):
        cosmos_server.meet({**BATCH, "do": "lose_answer", "times": 1})
        runner.run(two[0].save([job(1, position=position)]))
        assert cosmos_server.faults_left() == 0
    runner.run(_compare_with_jobs(two[1]._stats, {job_id_numbered(1): job(1, position=2)}))


def test_a_view_that_was_not_written_is_delivered_again_and_counts_once(
    cosmos_server: CosmosServer, two: tuple[CosmosJobViews, CosmosJobViews], runner: asyncio.Runner
) -> None:
    runner.run(two[0].save([job(1)]))
    moved = job(1, state="running", position=2)
    cosmos_server.meet({"verb": "PUT", "path": "/colls/views/docs", "do": "refuse", "status": 403, "times": 9})
    with pytest.raises(TryAgain):
        runner.run(two[0].save([moved]))
    cosmos_server.meet()
    assert runner.run(two[1].get_many([moved.job_id]))[moved.job_id].position == 1
    runner.run(two[1].save([moved]))
    assert runner.run(two[1].get_many([moved.job_id])) == {moved.job_id: moved}
    runner.run(_compare_with_jobs(two[0]._stats, {moved.job_id: moved}))


def test_stats_that_cannot_be_written_leave_the_view_for_the_next_delivery(
    cosmos_server: CosmosServer, two: tuple[CosmosJobViews, CosmosJobViews], runner: asyncio.Runner
) -> None:
    runner.run(two[0].save([job(1)]))
    cosmos_server.meet({**BATCH, "do": "refuse", "status": 403, "times": 9})
    with pytest.raises(TryAgain, match="job stats could not be written"):
        runner.run(two[0].save([job(1, position=2)]))
    cosmos_server.meet()
    assert runner.run(two[1].get_many([job_id_numbered(1)]))[job_id_numbered(1)].position == 1


def test_no_batch_exceeds_the_limit_of_cosmos_whenever_its_jobs_were_submitted(
    cosmos_server: CosmosServer, two: tuple[CosmosJobViews, CosmosJobViews], runner: asyncio.Runner
) -> None:
    """Each job is from a different hour, so the batches need as many items as possible."""
    jobs = [job(number, after_s=number * 3_600 * 5) for number in range(80)]
    cosmos_server.note_writes()
    runner.run(two[0].save(jobs))
    sizes = [len(one["body"]) for one in cosmos_server.writes() if "x-ms-cosmos-is-batch-request" in one["headers"]]
    assert max(sizes) <= 100
    assert sum(sizes) > 2 * 80
    runner.run(_compare_with_jobs(two[1]._stats, {one.job_id: one for one in jobs}))


def test_the_system_page_needs_as_many_calls_for_many_jobs_as_for_one(
    cosmos_server: CosmosServer,
    two: tuple[CosmosJobViews, CosmosJobViews],
    runner: asyncio.Runner,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job_stats = two[1]._stats
    monkeypatch.setattr("mayfly.views.cosmos.stats._ATTEMPTS_AGE_S", math.inf)

    async def ask() -> None:
        await two[1].count_by_state()
        for span in WIDTHS:
            await job_stats.submitted(span, since=T0)
        kinds: tuple[Attention, ...] = ("held", "lingering")
        for kind in kinds:
            await job_stats.attention(kind)
        await job_stats.attempts(limit=1_000)
        await job_stats.projected()

    def calls() -> list[str]:
        caplog.clear()
        with caplog.at_level("DEBUG", logger="mayfly.cosmos"):
            runner.run(ask())
        return [record.getMessage() for record in caplog.records]

    runner.run(two[0].save([job(1)]))
    runner.run(ask())
    few = calls()
    runner.run(two[0].save([job(number) for number in range(500)]))
    assert calls() == few
    # The answer about attempts never gets too old here, and is given again.
    spans = [f"submitted_by_{span}" for span in ("day", *WIDTHS)]
    assert [call.split(" on ")[0] for call in few] == [*spans, "held", "lingering", "projected"]


def test_a_missing_container_is_named_in_the_error(cosmos_server: CosmosServer, runner: asyncio.Runner) -> None:
    job_stats = CosmosJobStats(CosmosAccount(cosmos_server.endpoint, KEY, database="not-there", reads_only=True))
    with pytest.raises(TryAgain, match="the database or a container is missing"):
        runner.run(job_stats.projected())
    runner.run(job_stats.close())
