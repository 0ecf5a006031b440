"""`CosmosJobViews` with the real SDK: the contract, and two projectors at once."""

from __future__ import annotations

import asyncio

import pytest

from mayfly.errors import TryAgain
from mayfly.views.cosmos.job_views import CosmosJobViews
from mayfly.views.job_views import JobFilter, JobViews
from tests.contracts.job_views import JobViewsContract, job
from tests.cosmos_server.server import CosmosServer
from tests.mayfly.jobs.samples import job_id_numbered

JOB_ID = job_id_numbered(1)


class TestCosmos(JobViewsContract):
    @pytest.fixture(autouse=True)
    def _server(self, cosmos_server: CosmosServer) -> None:
        self._cosmos = cosmos_server

    def open(self) -> JobViews:
        return CosmosJobViews(self._cosmos.account())


def test_of_two_projectors_the_later_position_wins_whichever_writes_last(
    two: tuple[CosmosJobViews, CosmosJobViews], runner: asyncio.Runner
) -> None:
    first, second = two
    runner.run(first.save([job(1, position=1)]))
    runner.run(second.get_many([JOB_ID]))
    runner.run(first.save([job(1, position=5, state="running")]))
    runner.run(second.save([job(1, position=3, state="starting")]))
    assert runner.run(second.get_many([JOB_ID]))[JOB_ID].position == 5
    runner.run(second.save([job(1, position=6, state="failed")]))
    assert runner.run(first.get_many([JOB_ID]))[JOB_ID].state == "failed"


def test_a_view_that_another_projector_cleared_is_saved_again(
    two: tuple[CosmosJobViews, CosmosJobViews], runner: asyncio.Runner
) -> None:
    first, second = two
    runner.run(first.save([job(1, position=4)]))
    runner.run(second.clear())
    runner.run(first.save([job(1, position=5)]))
    assert runner.run(second.get_many([JOB_ID]))[JOB_ID].position == 5


def test_many_concurrent_saves_of_one_job_keep_the_latest_position(
    two: tuple[CosmosJobViews, CosmosJobViews], runner: asyncio.Runner
) -> None:
    async def race() -> None:
        saves = [two[position % 2].save([job(1, position=position)]) for position in range(1, 11)]
        await asyncio.gather(*saves)

    runner.run(race())
    assert runner.run(two[0].get_many([JOB_ID]))[JOB_ID].position == 10


def test_a_save_whose_answer_was_lost_is_kept(
    cosmos_server: CosmosServer, two: tuple[CosmosJobViews, CosmosJobViews], runner: asyncio.Runner
) -> None:
    for position, verb in ((1, "POST"), (2, "PUT")):
        cosmos_server.meet({"verb": verb, "path": "/colls/views/docs", "do": "lose_answer", "times": 1})
        runner.run(two[0].save([job(1, position=position)]))
        assert cosmos_server.faults_left() == 0
        assert runner.run(two[1].get_many([JOB_ID]))[JOB_ID].position == position


def test_endless_throttling_raises_try_again(
    cosmos_server: CosmosServer, two: tuple[CosmosJobViews, CosmosJobViews], runner: asyncio.Runner
) -> None:
    runner.run(two[0].page(JobFilter(), limit=1))
    cosmos_server.meet({"verb": "POST", "path": "/colls/views/docs", "do": "throttle", "times": 1_000})
    with pytest.raises(TryAgain, match="could not be written"):
        runner.run(two[0].save([job(1)]))
    with pytest.raises(TryAgain, match="could not be read"):
        runner.run(two[0].page(JobFilter(), limit=1))
