"""The log in one SQLite file.

Every append is on the disk before it returns (WAL with synchronous=FULL: the log is the truth, so it also survives a
power cut; source: sqlite.org/pragma.html#pragma_synchronous). Appends that arrive in one turn of the event loop share
one transaction and so one flush; each still succeeds or fails alone. Three triggers refuse every update, delete and
replacement, so that not even a slip in this file could change an event (I2).

The view `events` shows the log as a change feed: `_lsn` and the event as one JSON `document`, the same document that
the Cosmos container holds.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mayfly.errors import PositionTaken, TryAgain
from mayfly.jobs.events import Event, body_from_json, body_to_json
from mayfly.log.event_log import Recorded
from mayfly.sqlite_file import ReadOnlyFile, SqliteFile, WritableFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (
    global_position INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    type TEXT NOT NULL,
    at TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    source TEXT NOT NULL,
    data TEXT NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (job_id, position)
);
CREATE TRIGGER IF NOT EXISTS log_refuses_updates BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS log_refuses_deletes BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS log_refuses_replacements BEFORE INSERT ON log
WHEN EXISTS (SELECT 1 FROM log WHERE job_id = NEW.job_id AND position = NEW.position)
    OR EXISTS (SELECT 1 FROM log WHERE global_position = NEW.global_position)
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE VIEW IF NOT EXISTS events AS
SELECT global_position AS _lsn,
       json_object('id', printf('%06d', position), 'job_id', job_id, 'position', position, 'type', type, 'at', at,
                   'attempt', attempt, 'source', source, 'data', json(data), 'version', version) AS document
FROM log;
"""

_INSERT = "INSERT INTO log (job_id, position, type, at, attempt, source, data, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_COLUMNS = "job_id, position, type, at, attempt, source, data, version"

_Row = tuple[Any, ...]
"""As SQLite gives it: the columns above, typed by the schema."""


class SqliteEventLog:
    """`EventLog` in a file. One writing instance per process, used from one event loop; any number of reading ones.

    A reading one only reads, from a file that need not be there yet.
    """

    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        self._file: SqliteFile = (
            ReadOnlyFile(Path(path)) if read_only else WritableFile(path, schema=_SCHEMA, synchronous="FULL")
        )
        self._waiting: list[tuple[Sequence[_Row], int, asyncio.Future[None]]] = []

    async def append(self, events: Sequence[Event], *, expected_position: int) -> None:
        """See `EventLog.append`."""
        rows = [_row(event) for event in events]  # here, so that what has no JSON fails this append and no other
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()
        self._waiting.append((rows, expected_position, written))
        if len(self._waiting) == 1:
            loop.call_soon(self._write_waiting)
        await written

    async def read(self, job_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Event]:
        """See `EventLog.read`."""
        rows = self._fetch(
            f"SELECT {_COLUMNS} FROM log WHERE job_id = ? AND position > ? ORDER BY position LIMIT ?",  # noqa: S608
            (job_id, after, -1 if limit is None else limit),
        )
        return [_event(row) for row in rows]

    async def read_all(self, *, after: int = 0, limit: int = 1_000) -> Sequence[Recorded]:
        """See `EventLog.read_all`."""
        rows = self._fetch(
            f"SELECT {_COLUMNS}, global_position FROM log"  # noqa: S608
            " WHERE global_position > ? ORDER BY global_position LIMIT ?",
            (after, limit),
        )
        return [Recorded(global_position=row[8], event=_event(row)) for row in rows]

    async def close(self) -> None:
        """See `EventLog.close`."""
        self._file.close()

    @property
    def _connection(self) -> sqlite3.Connection:
        return self._file.connection

    def _fetch(self, sql: str, arguments: tuple[object, ...]) -> list[_Row]:
        try:
            return self._connection.execute(sql, arguments).fetchall()
        except sqlite3.DatabaseError as error:
            raise TryAgain(f"the event log could not be read: {error}") from error

    def _write_waiting(self) -> None:
        """Write all that waits in one transaction, then tell each writer what became of its own."""
        waiting, self._waiting = self._waiting, []
        outcomes: list[Exception | None] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._write(rows, expected) for rows, expected, _ in waiting]
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            failure = TryAgain(f"the event log could not be written: {error}")
            outcomes = [failure] * len(waiting)
        for (_, _, written), outcome in zip(waiting, outcomes, strict=True):
            if written.cancelled():
                continue
            if outcome is None:
                written.set_result(None)
            else:
                written.set_exception(outcome)

    def _write(self, rows: Sequence[_Row], expected_position: int) -> Exception | None:
        job_id = rows[0][0]
        (last,) = self._connection.execute(
            "SELECT coalesce(max(position), 0) FROM log WHERE job_id = ?", (job_id,)
        ).fetchone()
        if last != expected_position:
            return PositionTaken(job_id=job_id, expected_position=expected_position)
        self._connection.executemany(_INSERT, rows)
        return None


def _row(event: Event) -> _Row:
    return (
        event.job_id,
        event.position,
        event.type,
        event.at.isoformat(),
        event.attempt,
        event.source,
        body_to_json(event.body),
        event.version,
    )


def _event(row: _Row) -> Event:
    job_id, position, kind, at, attempt, source, data, version = row[:8]
    return Event(
        job_id=job_id,
        position=position,
        at=datetime.fromisoformat(at),
        attempt=attempt,
        source=source,
        body=body_from_json(kind, data),
        version=version,
    )
