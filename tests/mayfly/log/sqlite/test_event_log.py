"""`SqliteEventLog`: the contract, and what only a file can get wrong."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mayfly.errors import TryAgain
from mayfly.jobs import events as e
from mayfly.log.event_log import EventLog
from mayfly.log.sqlite.event_log import SqliteEventLog
from tests.contracts.event_log import LastingEventLogContract
from tests.mayfly.jobs.samples import JOB_ID, ONE_OF_EACH, event, job_id_numbered, opening
from tests.waiting import HANG_GUARD_S


class TestSqlite(LastingEventLogContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self._path = tmp_path / "new folder" / "log.db"

    def open(self) -> EventLog:
        return SqliteEventLog(self._path)

    def reopen(self) -> EventLog:
        return SqliteEventLog(self._path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def log(path: Path) -> Iterator[SqliteEventLog]:
    log = SqliteEventLog(path)
    asyncio.run(log.append([opening(), event(e.CancelRequested(reason=None), 2)], expected_position=0))
    yield log
    asyncio.run(log.close())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log SET data = '{}'",
        "UPDATE log SET at = at WHERE position = 1",
        "DELETE FROM log",
        "DELETE FROM log WHERE position = 2",
        "UPDATE OR REPLACE log SET position = 1 WHERE position = 2",
    ],
)
def test_the_file_itself_refuses_to_change_or_delete_an_event(log: SqliteEventLog, path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as stranger:
        before = stranger.execute("SELECT * FROM log").fetchall()
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            stranger.execute(statement)
        stranger.rollback()
        assert stranger.execute("SELECT * FROM log").fetchall() == before


@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE"])
def test_the_file_itself_refuses_to_replace_an_event(log: SqliteEventLog, path: Path, verb: str) -> None:
    with closing(sqlite3.connect(path)) as stranger:
        before = stranger.execute("SELECT * FROM log").fetchall()
        with pytest.raises(sqlite3.IntegrityError):
            stranger.execute(
                f"{verb} INTO log (job_id, position, type, at, attempt, source, data, version)"
                " VALUES (?, 1, 'JobCanceled', '', 0, 'http', '{}', 1)",
                (JOB_ID,),
            )
        stranger.rollback()
        assert stranger.execute("SELECT * FROM log").fetchall() == before


def test_the_view_shows_each_event_as_the_document_that_cosmos_holds(path: Path) -> None:
    log = SqliteEventLog(path)
    written = [event(body, position) for position, body in enumerate(ONE_OF_EACH, 1)]
    asyncio.run(log.append(written, expected_position=0))
    asyncio.run(log.close())
    with closing(sqlite3.connect(path)) as reader:
        rows = reader.execute("SELECT _lsn, document FROM events ORDER BY _lsn").fetchall()
    assert [lsn for lsn, _ in rows] == sorted({lsn for lsn, _ in rows})
    for (_, text), expected in zip(rows, written, strict=True):
        document = json.loads(text)
        assert document.pop("id") == f"{expected.position:06d}"
        assert document == e.to_document(expected)
        assert e.from_document(document) == expected


def test_an_event_that_cannot_be_written_fails_alone(log: SqliteEventLog) -> None:
    """Half a surrogate pair has no UTF-8: the append must say so, and the append beside it must succeed."""
    unwritable = event(e.CancelRequested(reason="\ud800"), 3)

    async def both() -> tuple[BaseException | None, BaseException | None]:
        return await asyncio.wait_for(
            asyncio.gather(
                log.append([unwritable], expected_position=2),
                log.append([opening(job_id_numbered(2))], expected_position=0),
                return_exceptions=True,
            ),
            timeout=HANG_GUARD_S,
        )

    refused, written = asyncio.run(both())
    assert isinstance(refused, ValueError)
    assert written is None
    assert [each.position for each in asyncio.run(log.read(JOB_ID))] == [1, 2]
    assert len(asyncio.run(log.read(job_id_numbered(2)))) == 1


def test_a_store_that_is_locked_says_try_again_and_has_written_nothing(path: Path) -> None:
    log = SqliteEventLog(path)
    log._writing.execute("PRAGMA busy_timeout=0")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TryAgain, match="could not be written"):
            asyncio.run(log.append([opening()], expected_position=0))
        other.execute("ROLLBACK")
    assert list(asyncio.run(log.read(JOB_ID))) == []
    asyncio.run(log.append([opening()], expected_position=0))
    assert len(asyncio.run(log.read(JOB_ID))) == 1
    asyncio.run(log.close())


def test_an_event_of_an_unknown_kind_is_named(log: SqliteEventLog, path: Path) -> None:
    with closing(sqlite3.connect(path)) as stranger:
        stranger.execute(
            "INSERT INTO log (job_id, position, type, at, attempt, source, data, version)"
            " VALUES (?, 3, 'JobTeleported', '2026-01-01T00:00:00+00:00', 0, 'http', '{}', 9)",
            (JOB_ID,),
        )
        stranger.commit()
    with pytest.raises(ValueError, match="JobTeleported"):
        asyncio.run(log.read(JOB_ID))
