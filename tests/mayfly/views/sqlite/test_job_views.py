"""`SqliteJobViews`: the contract, and files that are lost, locked or of another version."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mayfly.errors import TryAgain
from mayfly.views.job_views import JobFilter, JobViews
from mayfly.views.sqlite.job_views import SqliteJobViews
from tests.contracts.job_views import JobViewsContract, job


class TestSqlite(JobViewsContract):
    def open(self) -> JobViews:
        return SqliteJobViews(":memory:")


def test_views_are_there_after_reopening(tmp_path: Path) -> None:
    first = SqliteJobViews(tmp_path / "new folder" / "views.db")
    asyncio.run(first.save([job(1)]))
    asyncio.run(first.close())
    second = SqliteJobViews(tmp_path / "new folder" / "views.db")
    assert asyncio.run(second.page(JobFilter(), limit=10)).jobs == [job(1)]
    asyncio.run(second.close())


def test_a_file_of_another_version_is_emptied_and_not_complete(tmp_path: Path) -> None:
    first = SqliteJobViews(tmp_path / "views.db")
    asyncio.run(first.save([job(1)]))
    asyncio.run(first.note_complete())
    asyncio.run(first.close())
    with closing(sqlite3.connect(tmp_path / "views.db")) as other:
        other.execute("PRAGMA user_version=99")
    second = SqliteJobViews(tmp_path / "views.db")
    assert not asyncio.run(second.complete())
    assert asyncio.run(second.page(JobFilter(), limit=10)).jobs == []
    asyncio.run(second.close())


def test_a_locked_store_raises_try_again_and_keeps_its_content(tmp_path: Path) -> None:
    views = SqliteJobViews(tmp_path / "views.db")
    asyncio.run(views.save([job(1)]))
    views._connection.execute("PRAGMA busy_timeout=0")
    with closing(sqlite3.connect(tmp_path / "views.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TryAgain, match="could not be written"):
            asyncio.run(views.save([job(1, position=2), job(2)]))
        other.execute("ROLLBACK")
    assert asyncio.run(views.page(JobFilter(), limit=10)).jobs == [job(1)]
    asyncio.run(views.save([job(2)]))
    assert len(asyncio.run(views.page(JobFilter(), limit=10)).jobs) == 2
    asyncio.run(views.close())


def test_a_save_whose_read_fails_releases_the_lock(tmp_path: Path) -> None:
    views = SqliteJobViews(tmp_path / "views.db")
    with closing(sqlite3.connect(tmp_path / "views.db", isolation_level=None, timeout=0)) as other:
        other.execute("DROP TABLE jobs")
        with pytest.raises(TryAgain, match="no such table"):
            asyncio.run(views.save([job(1)]))
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    asyncio.run(views.close())
