"""What every `LogStats` must tell of a log.

An adapter joins with a subclass whose name begins with `Test` and one method:

    class TestSqlite(LogGaugeContract):
        def open(self, folder: Path) -> tuple[EventLog, LogStats]: ...
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mayfly.jobs import events as e
from mayfly.log.event_log import EventLog
from mayfly.log.stats import LogStats
from tests.mayfly.jobs.samples import T0, event, job_id_numbered, opening


class LogGaugeContract:
    def open(self, folder: Path) -> tuple[EventLog, LogStats]:
        """Return a log that is empty, and its gauge."""
        raise NotImplementedError

    @pytest.fixture
    def opened(self, tmp_path: Path, runner: asyncio.Runner) -> Iterator[tuple[EventLog, LogStats]]:
        log, gauge = self.open(tmp_path)
        yield log, gauge
        runner.run(gauge.close())
        runner.run(log.close())

    def test_an_empty_log_has_no_events(self, opened: tuple[EventLog, LogStats], runner: asyncio.Runner) -> None:
        _, gauge = opened
        assert runner.run(gauge.size()).events == 0
        assert list(runner.run(gauge.written_by([T0]))) == [0]

    def test_every_event_of_every_job_counts(self, opened: tuple[EventLog, LogStats], runner: asyncio.Runner) -> None:
        log, gauge = opened
        for number in range(7):
            runner.run(log.append([opening(job_id_numbered(number))], expected_position=0))
        runner.run(
            log.append([event(e.CancelRequested(reason=None), 2, job_id=job_id_numbered(3))], expected_position=1)
        )
        size = runner.run(gauge.size())
        assert size.events == 8
        assert size.log_bytes is None or size.log_bytes > 0

    def test_the_last_events_come_newest_first_and_no_more_than_asked_for(
        self, opened: tuple[EventLog, LogStats], runner: asyncio.Runner
    ) -> None:
        log, gauge = opened
        for number in range(5):
            runner.run(log.append([opening(job_id_numbered(number), after_s=number)], expected_position=0))
        canceled = event(e.CancelRequested(reason=None), 2, job_id=job_id_numbered(1), after_s=9)
        runner.run(log.append([canceled], expected_position=1))
        told = [(one.job_id, one.position, one.at) for one in runner.run(gauge.last(3))]
        assert told == [
            (job_id_numbered(1), 2, T0 + timedelta(seconds=9)),
            (job_id_numbered(4), 1, T0 + timedelta(seconds=4)),
            (job_id_numbered(3), 1, T0 + timedelta(seconds=3)),
        ]

    @pytest.mark.parametrize("count", [1, 2, 3, 10, 33])
    def test_written_by_counts_up_to_and_with_each_time(
        self, opened: tuple[EventLog, LogStats], runner: asyncio.Runner, count: int
    ) -> None:
        log, gauge = opened
        for number in range(count):
            runner.run(log.append([opening(job_id_numbered(number), after_s=number // 2)], expected_position=0))
        times = [T0 + timedelta(seconds=s) for s in (-1, 0, 0.5, 1, 2, 1_000)]
        expected = [sum(timedelta(seconds=n // 2) <= at - T0 for n in range(count)) for at in times]
        assert list(runner.run(gauge.written_by(times))) == expected
