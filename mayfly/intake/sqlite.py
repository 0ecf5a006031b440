"""The intake record in one SQLite file, which refuses updates and deletes like the log's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from mayfly.errors import TryAgain
from mayfly.intake.intake_record import RejectedMessage, from_document, to_document
from mayfly.sqlite_file import fetch, open_for_writing

_SCHEMA = """
CREATE TABLE IF NOT EXISTS refusals (
    queue TEXT NOT NULL,
    message_id TEXT NOT NULL,
    at TEXT NOT NULL,
    reason TEXT NOT NULL,
    body_bytes INTEGER NOT NULL,
    body_sha256 TEXT NOT NULL,
    PRIMARY KEY (queue, message_id)
);
CREATE INDEX IF NOT EXISTS refusals_by_time ON refusals (at DESC, message_id DESC);
CREATE TRIGGER IF NOT EXISTS refusals_refuse_updates BEFORE UPDATE ON refusals
BEGIN SELECT RAISE(ABORT, 'the intake record is append-only'); END;
CREATE TRIGGER IF NOT EXISTS refusals_refuse_deletes BEFORE DELETE ON refusals
BEGIN SELECT RAISE(ABORT, 'the intake record is append-only'); END;
"""
_COLUMNS = "queue, message_id, at, reason, body_bytes, body_sha256"
_INSERT = f"""
INSERT INTO refusals ({_COLUMNS}) VALUES (:queue, :message_id, :at, :reason, :body_bytes, :body_sha256)
ON CONFLICT DO NOTHING
"""  # noqa: S608 - names of columns


class SqliteIntakeRecord:
    """`IntakeRecord` in a file. One instance per process, used from one event loop."""

    def __init__(self, path: Path | str) -> None:
        self._connection = open_for_writing(path, _SCHEMA, synchronous="FULL")

    async def record(self, rejected: RejectedMessage) -> bool:
        try:
            return self._connection.execute(_INSERT, to_document(rejected)).rowcount == 1
        except sqlite3.OperationalError as error:
            raise TryAgain(f"the intake record could not be written: {error}") from error

    async def rejections(self, *, limit: int = 100) -> Sequence[RejectedMessage]:
        query = f"SELECT {_COLUMNS} FROM refusals ORDER BY at DESC, message_id DESC LIMIT ?"  # noqa: S608 - as above
        rows = fetch(self._connection, "the intake record could not be read", query, limit)
        return [from_document(dict(zip(_COLUMNS.split(", "), row, strict=True))) for row in rows]

    async def close(self) -> None:
        self.release()

    def release(self) -> None:
        """Close the file."""
        self._connection.close()
