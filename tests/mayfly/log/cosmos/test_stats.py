"""`CosmosLogStats` with the real SDK: the contract, the account's own statistics, and cached counts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mayfly.log.cosmos.event_log import CosmosEventLog
from mayfly.log.cosmos.stats import CosmosLogStats
from mayfly.log.event_log import EventLog
from mayfly.log.stats import LogSize, LogStats
from tests.contracts.log_stats import LogStatsContract
from tests.cosmos_server.server import CosmosServer
from tests.mayfly.jobs.samples import T0, job_id_numbered, opening

USAGE = "functions=0;storedProcedures=0;triggers=0;documentSize=0;documentsSize=40;documentsCount=17;collectionSize=52;"


class TestCosmos(LogStatsContract):
    @pytest.fixture(autouse=True)
    def _server(self, cosmos_server: CosmosServer) -> None:
        self._cosmos = cosmos_server

    def open(self, folder: Path) -> tuple[EventLog, LogStats]:
        account = self._cosmos.account()
        return CosmosEventLog(account), CosmosLogStats(account)


@pytest.fixture
def opened(cosmos_server: CosmosServer, runner: asyncio.Runner) -> Iterator[tuple[CosmosEventLog, CosmosLogStats]]:
    account = cosmos_server.account()
    log, log_stats = CosmosEventLog(account), CosmosLogStats(account)
    for number in range(4):
        runner.run(log.append([opening(job_id_numbered(number), after_s=number * 3_600)], expected_position=0))
    yield log, log_stats
    runner.run(log.close())
    runner.run(log_stats.close())
    cosmos_server.meet()


def test_the_containers_own_statistics_are_used_and_marked_as_inexact(
    cosmos_server: CosmosServer, opened: tuple[CosmosEventLog, CosmosLogStats], runner: asyncio.Runner
) -> None:
    _, log_stats = opened
    cosmos_server.meet(
        {
            "verb": "GET", "path": "/colls/events", "do": "answer", "times": 2, "status": 200,
            "headers": {"x-ms-resource-usage": USAGE}, "body": {"id": "events"},
        }
    )  # fmt: skip
    assert runner.run(log_stats.size()) == LogSize(events=17, log_bytes=52 * 1_024, exact=False)
    times = [T0 + timedelta(hours=hours) for hours in (0.5, 1.5, 9)]
    assert list(runner.run(log_stats.written_by(times))) == [14, 15, 17]
    assert cosmos_server.faults_left() == 0


def test_past_spans_are_counted_once(
    opened: tuple[CosmosEventLog, CosmosLogStats], runner: asyncio.Runner, caplog: pytest.LogCaptureFixture
) -> None:
    _, log_stats = opened
    times = [T0 + timedelta(hours=hours) for hours in (0.5, 1.5, 2.5)]
    first = list(runner.run(log_stats.written_by(times)))
    with caplog.at_level("DEBUG", logger="mayfly.cosmos"):
        assert list(runner.run(log_stats.written_by(times))) == first == [1, 2, 3]
    charged = [record.getMessage().split(":")[0] for record in caplog.records if record.name == "mayfly.cosmos"]
    # Only spans that may still grow: since the last full hour, and after the last of the times.
    assert sorted(charged) == ["count on events", "count on events", "size on events"]
