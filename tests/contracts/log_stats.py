"""The contract of every `LogStats`.

An adapter joins with a subclass whose name begins with `Test` and one method:

    class TestSqlite(LogStatsContract):
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


class LogStatsContract:
    def open(self, folder: Path) -> tuple[EventLog, LogStats]:
        """Return an empty log and its stats."""
        raise NotImplementedError

    @pytest.fixture
    def opened(self, tmp_path: Path, runner: asyncio.Runner) -> Iterator[tuple[EventLog, LogStats]]:
        log, log_stats = self.open(tmp_path)
        yield log, log_stats
        runner.run(log_stats.close())
        runner.run(log.close())

    def test_an_empty_log_has_no_events(self, opened: tuple[EventLog, LogStats], runner: asyncio.Runner) -> None:
        _, log_stats = opened
        assert runner.run(log_stats.size()).events == 0
        assert list(runner.run(log_stats.written_by([T0]))) == [0]

    def test_every_event_of_every_job_counts(self, opened: tuple[EventLog, LogStats], runner: asyncio.Runner) -> None:
        log, log_stats = opened
        for number in range(7):
            runner.run(log.append([opening(job_id_numbered(number))], expected_position=0))
        runner.run(
            log.append([event(e.CancelRequested(reason=None), 2, job_id=job_id_numbered(3))], expected_position=1)
        )
        size = runner.run(log_stats.size())
        assert size.events == 8
        assert size.log_bytes is None or size.log_bytes > 0

    def test_the_last_events_come_newest_first_up_to_the_limit(
        self, opened: tuple[EventLog, LogStats], runner: asyncio.Runner
    ) -> None:
        log, log_stats = opened
        for number in range(5):
            runner.run(log.append([opening(job_id_numbered(number), after_s=number)], expected_position=0))
        canceled = event(e.CancelRequested(reason=None), 2, job_id=job_id_numbered(1), after_s=9)
        runner.run(log.append([canceled], expected_position=1))
        found = [(one.job_id, one.position, one.at) for one in runner.run(log_stats.last(3))]
        assert found == [
            (job_id_numbered(1), 2, T0 + timedelta(seconds=9)),
            (job_id_numbered(4), 1, T0 + timedelta(seconds=4)),
            (job_id_numbered(3), 1, T0 + timedelta(seconds=3)),
        ]

    @pytest.mark.parametrize("count", [1, 2, 3, 10, 33])
    def test_written_by_includes_each_time(
        self, opened: tuple[EventLog, LogStats], runner: asyncio.Runner, count: int
    ) -> None:
        log, log_stats = opened
        for number in range(count):
            runner.run(log.append([opening(job_id_numbered(number), after_s=number // 2)], expected_position=0))
        times = [T0 + timedelta(seconds=s) for s in (-1, 0, 0.5, 1, 2, 1_000)]
        expected = [sum(timedelta(seconds=n // 2) <= at - T0 for n in range(count)) for at in times]
        assert list(runner.run(log_stats.written_by(times))) == expected
