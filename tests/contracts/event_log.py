"""The contract of every `EventLog`, whatever its store.

An adapter joins with a subclass whose name begins with `Test` and one method. An adapter that outlives its process adds
`reopen`:

    class TestMemory(EventLogContract):
        def open(self) -> EventLog: return MemoryEventLog()
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest

from mayfly.errors import PositionTaken
from mayfly.jobs import events as e
from mayfly.log.event_log import EventLog
from tests.mayfly.jobs.samples import JOB_ID, ONE_OF_EACH, event, job_id_numbered, opening
from tests.mayfly.log.memory import MemoryEventLog
from tests.sampling import seeded, seeds


class EventLogContract:
    def open(self) -> EventLog:
        """Return an empty log."""
        raise NotImplementedError

    @pytest.fixture
    def log(self, runner: asyncio.Runner) -> Iterator[EventLog]:
        log = self.open()
        yield log
        runner.run(log.close())

    def test_every_kind_of_event_reads_back_as_it_was_appended(self, log: EventLog, runner: asyncio.Runner) -> None:
        written = [event(body, position, attempt=position % 3) for position, body in enumerate(ONE_OF_EACH, 1)]
        runner.run(log.append(written, expected_position=0))
        assert list(runner.run(log.read(JOB_ID))) == written
        assert [recorded.event for recorded in runner.run(log.read_all())] == written

    def test_an_unknown_stream_is_empty(self, log: EventLog, runner: asyncio.Runner) -> None:
        assert list(runner.run(log.read(JOB_ID))) == []
        assert list(runner.run(log.read_all())) == []

    @pytest.mark.parametrize("expected_position", [0, 1, 3, 99])
    def test_append_at_another_position_than_the_last_writes_nothing(
        self, log: EventLog, runner: asyncio.Runner, expected_position: int
    ) -> None:
        stream = [opening(), event(e.CancelRequested(reason=None), 2)]
        runner.run(log.append(stream, expected_position=0))
        late = event(e.JobCanceled(), expected_position + 1)
        with pytest.raises(PositionTaken) as refused:
            runner.run(log.append([late], expected_position=expected_position))
        assert (refused.value.job_id, refused.value.expected_position) == (JOB_ID, expected_position)
        assert list(runner.run(log.read(JOB_ID))) == stream
        assert len(runner.run(log.read_all())) == 2

    def test_several_events_are_written_all_or_none(self, log: EventLog, runner: asyncio.Runner) -> None:
        runner.run(log.append([opening()], expected_position=0))
        pair = [event(e.CancelRequested(reason="a"), 2), event(e.JobCanceled(), 3)]
        other = [event(e.CancelRequested(reason="b"), 2), event(e.JobCanceled(), 3)]
        runner.run(log.append(pair, expected_position=1))
        with pytest.raises(PositionTaken):
            runner.run(log.append(other, expected_position=1))
        assert list(runner.run(log.read(JOB_ID, after=1))) == pair

    def test_a_hundred_events_can_be_appended_at_once(self, log: EventLog, runner: asyncio.Runner) -> None:
        many = [event(e.JobHeld(reason=str(n), until=opening().at), n) for n in range(2, 102)]
        runner.run(log.append([opening()], expected_position=0))
        runner.run(log.append(many, expected_position=1))
        assert list(runner.run(log.read(JOB_ID, after=1))) == many

    def test_of_many_writers_at_one_position_exactly_one_wins(self, log: EventLog, runner: asyncio.Runner) -> None:
        async def race(position: int) -> list[bool]:
            async def one(number: int) -> bool:
                body = e.CancelRequested(reason=f"writer {number}")
                try:
                    await log.append([event(body, position + 1)], expected_position=position)
                except PositionTaken:
                    return False
                return True

            return await asyncio.gather(*(one(number) for number in range(20)))

        runner.run(log.append([opening()], expected_position=0))
        for position in range(1, 6):
            assert runner.run(race(position)).count(True) == 1
        assert [each.position for each in runner.run(log.read(JOB_ID))] == [1, 2, 3, 4, 5, 6]

    def test_concurrent_appends_to_different_streams_all_succeed(self, log: EventLog, runner: asyncio.Runner) -> None:
        job_ids = [job_id_numbered(number) for number in range(50)]

        async def all_at_once() -> None:
            await asyncio.gather(*(log.append([opening(job_id)], expected_position=0) for job_id in job_ids))

        runner.run(all_at_once())
        recorded = runner.run(log.read_all())
        assert sorted(each.event.job_id for each in recorded) == sorted(job_ids)
        positions = [each.global_position for each in recorded]
        assert positions == sorted(set(positions))

    def test_a_canceled_writer_does_not_affect_the_others(self, log: EventLog, runner: asyncio.Runner) -> None:
        async def two_writers() -> None:
            first = asyncio.ensure_future(log.append([opening(job_id_numbered(1))], expected_position=0))
            second = asyncio.ensure_future(log.append([opening(job_id_numbered(2))], expected_position=0))
            await asyncio.sleep(0)
            first.cancel()
            await second

        runner.run(two_writers())
        assert len(runner.run(log.read(job_id_numbered(2)))) == 1
        runner.run(log.append([opening(job_id_numbered(3))], expected_position=0))

    @pytest.mark.parametrize(
        ("after", "limit", "positions"),
        [(0, None, [1, 2, 3, 4, 5]), (2, None, [3, 4, 5]), (2, 2, [3, 4]), (0, 1, [1]), (5, None, []), (99, 5, [])],
    )
    def test_read_begins_after_a_position_and_stops_at_the_limit(
        self, log: EventLog, runner: asyncio.Runner, after: int, limit: int | None, positions: list[int]
    ) -> None:
        holds = [event(e.JobHeld(reason=str(n), until=opening().at), n) for n in range(2, 6)]
        runner.run(log.append([opening(), *holds], expected_position=0))
        assert [each.position for each in runner.run(log.read(JOB_ID, after=after, limit=limit))] == positions

    def test_the_whole_log_is_read_in_the_order_of_writing_page_by_page(
        self, log: EventLog, runner: asyncio.Runner
    ) -> None:
        written = write_at_random(log, runner, random.Random(7), appends=60)
        read: list[e.Event] = []
        after = 0
        while page := runner.run(log.read_all(after=after, limit=7)):
            assert len(page) <= 7
            assert all(each.global_position > after for each in page)
            read += [each.event for each in page]
            after = page[-1].global_position
        assert read == written

    @seeded
    @pytest.mark.parametrize("seed", seeds(4))
    def test_a_random_run_ends_as_on_plain_lists(self, runner: asyncio.Runner, seed: int) -> None:
        log, model = self.open(), MemoryEventLog()
        written = write_at_random(log, runner, random.Random(seed), appends=80)
        assert write_at_random(model, runner, random.Random(seed), appends=80) == written
        for number in range(5):
            job_id = job_id_numbered(number)
            assert list(runner.run(log.read(job_id))) == list(runner.run(model.read(job_id)))
        assert [each.event for each in runner.run(log.read_all())] == [
            each.event for each in runner.run(model.read_all())
        ]
        runner.run(log.close())


class LastingEventLogContract(EventLogContract):
    """The contract of a log that outlives the process that wrote it."""

    def reopen(self) -> EventLog:
        """Open the log of `open` again."""
        raise NotImplementedError

    def test_appended_events_are_there_after_reopening(self, log: EventLog, runner: asyncio.Runner) -> None:
        stream = [opening(), event(e.JobCanceled(), 2)]
        runner.run(log.append(stream, expected_position=0))
        runner.run(log.close())
        again = self.reopen()
        assert list(runner.run(again.read(JOB_ID))) == stream
        with pytest.raises(PositionTaken):
            runner.run(again.append([opening()], expected_position=0))
        runner.run(again.close())

    def test_two_open_logs_see_each_other_and_share_the_positions(self, log: EventLog, runner: asyncio.Runner) -> None:
        second = self.reopen()
        runner.run(log.append([opening()], expected_position=0))
        with pytest.raises(PositionTaken):
            runner.run(second.append([opening()], expected_position=0))
        runner.run(second.append([event(e.JobCanceled(), 2)], expected_position=1))
        assert [each.position for each in runner.run(log.read(JOB_ID))] == [1, 2]
        runner.run(second.close())


def write_at_random(log: EventLog, runner: asyncio.Runner, chance: random.Random, *, appends: int) -> list[e.Event]:
    """Append bursts to five streams, some at wrong positions; return the accepted events, in order."""
    lengths = dict.fromkeys(range(5), 0)
    written: list[e.Event] = []
    for _ in range(appends):
        number = chance.randrange(5)
        expected = max(0, lengths[number] + chance.choice((0, 0, 0, -1, 1)))
        burst = [
            event(chance.choice(ONE_OF_EACH), expected + offset, job_id=job_id_numbered(number), after_s=len(written))
            for offset in range(1, chance.randrange(1, 4) + 1)
        ]
        try:
            runner.run(log.append(burst, expected_position=expected))
        except PositionTaken:
            assert expected != lengths[number]
        else:
            assert expected == lengths[number]
            lengths[number] += len(burst)
            written += burst
    return written
