"""`SqliteLogStats` and `SqliteLogReader`: the contract, and that they only read."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mayfly.errors import TryAgain
from mayfly.log.event_log import EventLog
from mayfly.log.sqlite.event_log import SqliteEventLog, SqliteLogReader
from mayfly.log.sqlite.stats import SqliteLogStats
from mayfly.log.stats import LogStats
from tests.contracts.log_stats import LogGaugeContract
from tests.mayfly.jobs.samples import JOB_ID, opening


class TestSqlite(LogGaugeContract):
    def open(self, folder: Path) -> tuple[EventLog, LogStats]:
        return SqliteEventLog(folder / "log.db"), SqliteLogStats(folder / "log.db")


def test_a_log_that_is_not_there_yet_says_try_again_and_is_read_once_it_is(tmp_path: Path) -> None:
    reader, gauge = SqliteLogReader(tmp_path / "log.db"), SqliteLogStats(tmp_path / "log.db")
    with asyncio.Runner() as runner:
        with pytest.raises(TryAgain, match=r"log\.db does not exist"):
            runner.run(reader.read(JOB_ID))
        with pytest.raises(TryAgain, match=r"log\.db does not exist"):
            runner.run(gauge.size())
        writer = SqliteEventLog(tmp_path / "log.db")
        runner.run(writer.append([opening()], expected_position=0))
        assert list(runner.run(reader.read(JOB_ID))) == [opening()]
        assert runner.run(gauge.size()).events == 1
        with pytest.raises(OSError, match="open for reading only"):
            runner.run(reader.append([opening()], expected_position=0))
        for opened in (reader, gauge, writer):
            runner.run(opened.close())
