"""An append is one transactional batch: the requests of the real SDK, and how it handles the answers.

No server in these tests can prove that Cosmos DB writes a batch completely or not at all: the one from npm does not,
and serve.js adds that itself. So the tests check that the request demands it, and replay the documented answers.

Source: learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch (the failed operation has its own status, all the
others 424, and nothing is written).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from mayfly.errors import PositionTaken, TryAgain
from mayfly.jobs import events as e
from mayfly.log.cosmos.event_log import CosmosEventLog
from tests.cosmos_server.logs import log_with_one_job
from tests.cosmos_server.server import CosmosServer
from tests.mayfly.jobs.samples import JOB_ID, event

APPEND = {"verb": "POST", "path": "/colls/events/docs"}


@pytest.fixture
def log(cosmos_server: CosmosServer, runner: asyncio.Runner) -> Iterator[CosmosEventLog]:
    with log_with_one_job(cosmos_server, runner) as log:
        cosmos_server.note_writes()
        yield log


def _events(count: int) -> list[e.Event]:
    return [event(e.CancelRequested(reason=f"number {n}"), n) for n in range(2, 2 + count)]


def _answers(*statuses: int, status: int = 207) -> dict[str, Any]:
    body = [{"statusCode": one, "requestCharge": 1.0} for one in statuses]
    return {**APPEND, "do": "answer", "times": 1, "status": status, "headers": {}, "body": body}


def _appends(server: CosmosServer) -> list[dict[str, Any]]:
    return [one for one in server.writes() if one["headers"].get("content-type") != "application/query+json"]


@pytest.mark.parametrize("count", [1, 3, 99])
def test_an_append_is_one_atomic_request_for_one_partition(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner, count: int
) -> None:
    runner.run(log.append(_events(count), expected_position=1))
    [sent] = _appends(cosmos_server)
    headers = {name: value.lower() for name, value in sent["headers"].items()}
    assert sent["method"] == "POST"
    assert headers["x-ms-cosmos-is-batch-request"] == "true"
    assert headers["x-ms-cosmos-batch-atomic"] == "true"
    assert headers["x-ms-cosmos-batch-continue-on-error"] == "false"
    assert json.loads(sent["headers"]["x-ms-documentdb-partitionkey"]) == [JOB_ID]
    assert [one["operationType"] for one in sent["body"]] == ["Create"] * count
    assert [one["resourceBody"]["id"] for one in sent["body"]] == [f"{n:06d}" for n in range(2, 2 + count)]
    assert {one["resourceBody"]["job_id"] for one in sent["body"]} == {JOB_ID}
    assert len({one["resourceBody"]["append_id"] for one in sent["body"]}) == 1


def test_a_conflict_with_its_failed_dependencies_is_a_taken_position(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner
) -> None:
    other = CosmosEventLog(cosmos_server.account(f"test{cosmos_server.opened}"))
    runner.run(other.append(_events(1), expected_position=1))
    cosmos_server.meet(_answers(409, 424, 424))
    with pytest.raises(PositionTaken):
        runner.run(log.append(_events(3), expected_position=1))
    assert cosmos_server.faults_left() == 0
    assert len(runner.run(log.read(JOB_ID))) == 2
    runner.run(other.close())


def test_a_batch_that_is_repeated_after_a_lost_answer_recognizes_its_items(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner
) -> None:
    cosmos_server.meet({**APPEND, "do": "lose_answer", "times": 1})
    runner.run(log.append(_events(3), expected_position=1))
    first, again = _appends(cosmos_server)
    assert first["body"] == again["body"]
    assert list(runner.run(log.read(JOB_ID, after=1))) == _events(3)
    # It also knows the end of its stream, so the next append needs no read.
    cosmos_server.note_writes()
    runner.run(log.append([event(e.JobCanceled(), 5)], expected_position=4))
    assert len(cosmos_server.writes()) == 1


def test_the_documented_conflict_of_a_repeated_batch_counts_as_the_first_ones_success(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner
) -> None:
    """The first batch is written and its answer lost; the second gets the documented answer."""
    cosmos_server.meet({**APPEND, "do": "lose_answer", "times": 1}, _answers(409, 424, 424))
    runner.run(log.append(_events(3), expected_position=1))
    assert cosmos_server.faults_left() == 0
    assert list(runner.run(log.read(JOB_ID, after=1))) == _events(3)


def test_a_throttled_operation_within_a_batch_is_retried(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner
) -> None:
    cosmos_server.meet(_answers(429, 424), _answers(449, 424))
    runner.run(log.append(_events(2), expected_position=1))
    assert cosmos_server.faults_left() == 0
    assert list(runner.run(log.read(JOB_ID, after=1))) == _events(2)


def test_a_batch_that_fails_for_another_reason_does_not_mean_a_taken_position(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner
) -> None:
    cosmos_server.meet(_answers(424, 403))
    with pytest.raises(TryAgain, match="data role"):
        runner.run(log.append(_events(2), expected_position=1))
    assert len(runner.run(log.read(JOB_ID))) == 1
