"""The log in one SQLite file.

Every append is on disk before it returns. The log is the truth, so it must survive a power failure (WAL with
synchronous=FULL; source: sqlite.org/pragma.html#pragma_synchronous). A separate thread waits for the disk. Appends that
arrive in the meantime share the next transaction and its flush; each of them still succeeds or fails alone. Three
triggers refuse every update, delete and replacement, so that not even a bug in this file can change an event (I2).

The view `events` presents the log as a change feed: `_lsn`, and the event as one JSON `document`, the same document
that the Cosmos container stores.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import datetime
from functools import partial
from io import UnsupportedOperation
from pathlib import Path
from typing import Any

from mayfly.errors import PositionTaken, TryAgain
from mayfly.jobs.events import Event, body_from_json, body_to_json
from mayfly.log.event_log import Recorded
from mayfly.sqlite_file import ReadOnlyFile, fetch, open_for_writing

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

_COLUMNS = "job_id, position, type, at, attempt, source, data, version"
_INSERT = f"INSERT INTO log ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - names of columns
_READ_FAILED = "the event log could not be read"

_Row = tuple[Any, ...]
"""A row as SQLite returns it: the columns above, typed by the schema."""
_Waiting = tuple[Sequence[_Row], int, asyncio.Future[None]]
"""A waiting append: its rows, its expected position, and the future of its caller."""


class SqliteEventLog:
    """`EventLog` in a file. One instance per process, used from one event loop."""

    def __init__(self, path: Path) -> None:
        with ExitStack() as opened:
            self._writing = opened.enter_context(closing(_open(path)))
            reading = opened.enter_context(closing(_open(path)))
            self._connections = opened.pop_all()
        self._fetch = partial(fetch, reading, _READ_FAILED)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="event-log")
        self._waiting: list[_Waiting] = []
        self._flushing: asyncio.Task[None] | None = None

    async def append(self, events: Sequence[Event], *, expected_position: int) -> None:
        rows = [_row(event) for event in events]  # here, so that an event without a JSON form fails only this append
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, expected_position, written))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await written

    async def read(self, job_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Event]:
        rows = self._fetch(
            f"SELECT {_COLUMNS} FROM log WHERE job_id = ? AND position > ? ORDER BY position LIMIT ?",  # noqa: S608
            job_id,
            after,
            -1 if limit is None else limit,
        )
        return [_event(row) for row in rows]

    async def read_all(self, *, after: int = 0, limit: int = 1_000) -> Sequence[Recorded]:
        rows = self._fetch(
            f"SELECT {_COLUMNS}, global_position FROM log"  # noqa: S608
            " WHERE global_position > ? ORDER BY global_position LIMIT ?",
            after,
            limit,
        )
        return [Recorded(global_position=row[8], event=_event(row)) for row in rows]

    async def close(self) -> None:
        try:
            if self._flushing is not None:
                await self._flushing
        finally:
            self._writer.shutdown()  # waits for the current transaction, even if its caller was canceled
            self.release()

    def release(self) -> None:
        """Close the file; no append may be running."""
        self._connections.close()

    async def _flush(self) -> None:
        """Write all waiting appends, one transaction after another, until none is left."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            outcomes = await loop.run_in_executor(self._writer, self._write_all, waiting)
            for (_, _, written), outcome in zip(waiting, outcomes, strict=True):
                if written.cancelled():
                    continue
                if outcome is None:
                    written.set_result(None)
                else:
                    written.set_exception(outcome)
        self._flushing = None

    def _write_all(self, waiting: Sequence[_Waiting]) -> Sequence[Exception | None]:
        """Write all in one transaction and return the error of each, or None. Runs in the writer's thread."""
        try:
            self._writing.execute("BEGIN IMMEDIATE")
            outcomes = [self._write(rows, expected) for rows, expected, _ in waiting]
            self._writing.execute("COMMIT")
        except Exception as error:
            if self._writing.in_transaction:
                self._writing.execute("ROLLBACK")
            return [TryAgain(f"the event log could not be written: {error}") for _ in waiting]
        return outcomes

    def _write(self, rows: Sequence[_Row], expected_position: int) -> Exception | None:
        job_id = rows[0][0]
        (last,) = self._writing.execute(
            "SELECT coalesce(max(position), 0) FROM log WHERE job_id = ?", (job_id,)
        ).fetchone()
        if last != expected_position:
            return PositionTaken(job_id=job_id, expected_position=expected_position)
        self._writing.executemany(_INSERT, rows)
        return None


class SqliteLogReader(SqliteEventLog):
    """The same log for a process that only reads it; the file may not exist yet."""

    def __init__(self, path: Path) -> None:
        file = ReadOnlyFile(path)
        self._connections = ExitStack()
        self._connections.callback(file.close)
        self._fetch = partial(fetch, file, _READ_FAILED)

    async def append(self, events: Sequence[Event], *, expected_position: int) -> None:
        raise UnsupportedOperation(f"the log is open for reading only: {len(events)} events after {expected_position}")

    async def close(self) -> None:
        self.release()


def _open(path: Path) -> sqlite3.Connection:
    return open_for_writing(path, _SCHEMA, synchronous="FULL")


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
