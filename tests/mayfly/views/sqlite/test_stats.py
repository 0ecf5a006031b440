"""`SqliteJobStats`: the contract, and a file that appears late, disappears and is rebuilt."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mayfly.errors import TryAgain
from mayfly.views.job_views import JobFilter, JobViews
from mayfly.views.sqlite.job_views import SqliteJobViews, SqliteViewsReader
from mayfly.views.sqlite.stats import SqliteJobStats
from mayfly.views.stats import JobStats
from tests.contracts.job_stats import JobStatsContract
from tests.contracts.job_views import job


class TestSqlite(JobStatsContract):
    def open(self, folder: Path) -> tuple[JobViews, JobStats]:
        return SqliteJobViews(folder / "views.db"), SqliteJobStats(folder / "views.db")


def test_readers_follow_a_file_that_appears_late_disappears_and_returns(tmp_path: Path) -> None:
    path = tmp_path / "views.db"
    reader, job_stats = SqliteViewsReader(path), SqliteJobStats(path)
    with asyncio.Runner() as runner:
        with pytest.raises(TryAgain, match=r"views\.db does not exist"):
            runner.run(reader.page(JobFilter(), limit=1))
        for round_of in (1, 2):
            writer = SqliteJobViews(path)
            runner.run(writer.save([job(number) for number in range(round_of)]))
            assert len(runner.run(reader.page(JobFilter(), limit=9)).jobs) == round_of
            assert runner.run(job_stats.projected()) == round_of
            runner.run(writer.close())
            for file in tmp_path.glob("views.db*"):
                file.unlink()
            with pytest.raises(TryAgain, match="does not exist"):
                runner.run(job_stats.projected())
        runner.run(reader.close())
        runner.run(job_stats.close())


def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    writer = SqliteJobViews(tmp_path / "views.db")
    reader = SqliteViewsReader(tmp_path / "views.db")
    with asyncio.Runner() as runner:
        runner.run(writer.save([job(1)]))
        for change in (reader.save([job(2)]), reader.clear(), reader.note_complete()):
            with pytest.raises(OSError, match="open for reading only"):
                runner.run(change)
        with pytest.raises(Exception, match="readonly"):
            reader._file.execute("DELETE FROM jobs")
        assert runner.run(writer.page(JobFilter(), limit=9)).jobs == [job(1)]
        runner.run(reader.close())
        runner.run(writer.close())


def test_a_file_that_is_not_a_database_raises_try_again(tmp_path: Path) -> None:
    (tmp_path / "views.db").write_bytes(b"this is no database, and it is longer than a header" * 99)
    job_stats = SqliteJobStats(tmp_path / "views.db")
    with pytest.raises(TryAgain, match="not a database"):
        asyncio.run(job_stats.projected())
    asyncio.run(job_stats.close())
