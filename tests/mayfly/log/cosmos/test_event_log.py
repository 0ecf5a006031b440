"""`CosmosEventLog` with the real SDK: the contract, and faults that only a remote server has."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from mayfly.cosmos.account import CosmosAccount
from mayfly.errors import PositionTaken, TryAgain
from mayfly.jobs import events as e
from mayfly.log.cosmos.event_log import CosmosEventLog
from mayfly.log.event_log import EventLog
from tests.contracts.event_log import LastingEventLogContract
from tests.cosmos_server.logs import log_with_one_job
from tests.cosmos_server.server import KEY, CosmosServer
from tests.mayfly.jobs.samples import JOB_ID, event, job_id_numbered, opening

APPEND = {"verb": "POST", "path": "/colls/events/docs"}


class TestCosmos(LastingEventLogContract):
    @pytest.fixture(autouse=True)
    def _server(self, cosmos_server: CosmosServer) -> None:
        self._cosmos = cosmos_server

    def open(self) -> EventLog:
        return CosmosEventLog(self._cosmos.account())

    def reopen(self) -> EventLog:
        return CosmosEventLog(self._cosmos.account(f"test{self._cosmos.opened}"))


@pytest.fixture
def log(cosmos_server: CosmosServer, runner: asyncio.Runner) -> Iterator[CosmosEventLog]:
    with log_with_one_job(cosmos_server, runner) as log:
        yield log


def _pair() -> list[e.Event]:
    return [event(e.CancelRequested(reason="enough"), 2), event(e.JobCanceled(), 3)]


def test_an_append_whose_answer_was_lost_is_written_once(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner
) -> None:
    cosmos_server.meet({**APPEND, "do": "lose_answer", "times": 1})
    runner.run(log.append(_pair(), expected_position=1))
    assert cosmos_server.faults_left() == 0
    assert list(runner.run(log.read(JOB_ID, after=1))) == _pair()


def test_after_a_lost_answer_a_position_that_another_took_is_still_taken(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner
) -> None:
    other = CosmosEventLog(cosmos_server.account(f"test{cosmos_server.opened}"))
    runner.run(other.append([event(e.CancelRequested(reason="first"), 2)], expected_position=1))
    cosmos_server.meet({**APPEND, "do": "lose_answer", "times": 1})
    with pytest.raises(PositionTaken):
        runner.run(log.append(_pair(), expected_position=1))
    assert len(runner.run(log.read(JOB_ID))) == 2
    runner.run(other.close())


def test_two_writers_with_the_same_event_do_not_both_succeed(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner
) -> None:
    other = CosmosEventLog(cosmos_server.account(f"test{cosmos_server.opened}"))
    runner.run(other.append(_pair(), expected_position=1))
    with pytest.raises(PositionTaken):
        runner.run(log.append(_pair(), expected_position=1))
    runner.run(other.close())


@pytest.mark.parametrize("how", ["throttle", "throttle_batch"])
def test_throttling_is_waited_out(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner, how: str
) -> None:
    cosmos_server.meet({**APPEND, "do": how, "times": 12})
    runner.run(log.append(_pair(), expected_position=1))
    assert cosmos_server.faults_left() == 0
    assert list(runner.run(log.read(JOB_ID, after=1))) == _pair()


def test_endless_throttling_raises_try_again_and_writes_nothing(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner
) -> None:
    cosmos_server.meet({**APPEND, "do": "throttle", "times": 1_000})
    with pytest.raises(TryAgain, match="could not be written"):
        runner.run(log.append(_pair(), expected_position=1))
    cosmos_server.meet()
    assert len(runner.run(log.read(JOB_ID))) == 1


@pytest.mark.parametrize(("status", "hint"), [(403, "data role"), (401, "MAYFLY_COSMOS_KEY"), (408, "could not be")])
def test_a_refusal_names_the_fix(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner, status: int, hint: str
) -> None:
    cosmos_server.meet({**APPEND, "do": "refuse", "status": status, "times": 100})
    with pytest.raises(TryAgain, match=hint):
        runner.run(log.append(_pair(), expected_position=1))
    cosmos_server.meet()
    assert len(runner.run(log.read(JOB_ID))) == 1


def test_an_account_that_does_not_answer_raises_try_again(runner: asyncio.Runner) -> None:
    log = CosmosEventLog(CosmosAccount("http://127.0.0.1:9/", KEY))
    with pytest.raises(TryAgain):
        runner.run(log.read(JOB_ID))
    runner.run(log.close())


def test_numbers_that_a_double_cannot_hold_read_back_exactly(log: CosmosEventLog, runner: asyncio.Runner) -> None:
    result = {"big": [2**53 + 1, -(2**63)], "small": [1.5, 2**53]}
    done = event(e.WorkerSucceeded(result=result, exit_code=0, output_tail=""), 2)
    runner.run(log.append([done], expected_position=1))
    assert list(runner.run(log.read(JOB_ID, after=1))) == [done]


def test_global_positions_rise_within_a_stream_whatever_the_clocks_say(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner
) -> None:
    behind = event(e.CancelRequested(reason=None), 2, after_s=-3_600)
    other = CosmosEventLog(cosmos_server.account(f"test{cosmos_server.opened}"))
    runner.run(other.append([behind], expected_position=1))
    found = runner.run(log.read_all())
    assert [recorded.event.position for recorded in found] == [1, 2]
    assert found[0].global_position < found[1].global_position < 2**63
    runner.run(other.close())


def test_no_page_ends_between_events_that_share_a_global_position(
    monkeypatch: pytest.MonkeyPatch, log: CosmosEventLog, runner: asyncio.Runner
) -> None:
    monkeypatch.setattr("mayfly.log.cosmos.event_log._clock_position", lambda _: 1 << 62)
    for number in range(1, 8):
        runner.run(log.append([opening(job_id_numbered(number))], expected_position=0))
    found = 0
    after = 0
    while page := runner.run(log.read_all(after=after, limit=7)):
        found += len(page)
        after = page[-1].global_position
    assert found == 8


def test_an_item_is_the_events_document_with_the_adapters_fields(
    cosmos_server: CosmosServer, log: CosmosEventLog, runner: asyncio.Runner
) -> None:
    item = runner.run(log._items.read("000001", JOB_ID))
    assert item is not None
    ours = {name: value for name, value in item.items() if not name.startswith("_")}
    assert ours.pop("id") == "000001"
    assert len(ours.pop("append_id")) == 16
    assert len(ours.pop("global_position")) == 19
    assert ours == e.to_document(opening())
    assert e.from_document(item) == opening()


def test_every_call_is_charged_to_its_container(
    caplog: pytest.LogCaptureFixture, log: CosmosEventLog, runner: asyncio.Runner
) -> None:
    with caplog.at_level("DEBUG", logger="mayfly.cosmos"):
        runner.run(log.append(_pair(), expected_position=1))
        runner.run(log.read(JOB_ID))
        runner.run(log.read_all())
    charged = [record.getMessage() for record in caplog.records if record.name == "mayfly.cosmos"]
    assert charged == ["append on events: 1 RU", "read on events: 1 RU", "read_all on events: 1 RU"]


def test_a_writer_that_has_read_the_stream_appends_with_one_call(
    caplog: pytest.LogCaptureFixture, cosmos_server: CosmosServer, runner: asyncio.Runner, log: CosmosEventLog
) -> None:
    other = CosmosEventLog(cosmos_server.account(f"test{cosmos_server.opened}"))
    runner.run(other.read(JOB_ID))
    with caplog.at_level("DEBUG", logger="mayfly.cosmos"):
        runner.run(other.append(_pair(), expected_position=1))
    assert len([record for record in caplog.records if record.name == "mayfly.cosmos"]) == 1
    runner.run(other.close())
