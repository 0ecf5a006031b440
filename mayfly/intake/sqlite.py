"""The intake record in one SQLite file, which refuses updates and deletes as the log's does."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from mayfly.errors import TryAgain
from mayfly.intake.intake_record import RejectedMessage
from mayfly.sqlite_file import open_for_writing

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


class SqliteIntakeRecord:
    """`IntakeRecord` in a file. One instance per process, used from one event loop."""

    def __init__(self, path: Path | str) -> None:
        self._connection = open_for_writing(path, _SCHEMA, synchronous="FULL")

    async def record(self, refusal: RejectedMessage) -> bool:
        """See `IntakeRecord.record`."""
        row = (
            refusal.queue,
            refusal.message_id,
            refusal.at.isoformat(timespec="microseconds"),
            refusal.reason,
            refusal.body_bytes,
            refusal.body_sha256,
        )
        try:
            written = self._connection.execute(
                f"INSERT INTO refusals ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608
                row,
            )
        except sqlite3.OperationalError as error:
            raise TryAgain(f"the intake record could not be written: {error}") from error
        return written.rowcount == 1

    async def refusals(self, *, limit: int = 100) -> Sequence[RejectedMessage]:
        """See `IntakeRecord.refusals`."""
        try:
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM refusals ORDER BY at DESC, message_id DESC LIMIT ?",  # noqa: S608
                (limit,),
            ).fetchall()
        except sqlite3.OperationalError as error:
            raise TryAgain(f"the intake record could not be read: {error}") from error
        return [
            RejectedMessage(
                queue=queue,
                message_id=message_id,
                at=datetime.fromisoformat(at),
                reason=reason,
                body_bytes=body_bytes,
                body_sha256=body_sha256,
            )
            for queue, message_id, at, reason, body_bytes, body_sha256 in rows
        ]

    async def close(self) -> None:
        """See `IntakeRecord.close`."""
        self._connection.close()
