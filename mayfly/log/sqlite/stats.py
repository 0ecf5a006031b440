"""Stats of the log in a SQLite file: global positions have no gaps, so the last one is the count.

Appends are in order of time, so a binary search finds the count at a given time without an index on time. If two
writers' clocks disagree, the answer is off by the events of the difference.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from mayfly.errors import TryAgain
from mayfly.log.stats import LogSize, Written
from mayfly.sqlite_file import ReadOnlyFile


class SqliteLogStats:
    """`LogStats` for a file that another process writes."""

    def __init__(self, path: Path) -> None:
        self._file = ReadOnlyFile(path)

    async def size(self) -> LogSize:
        """See `LogStats.size`."""
        pages = self._one("PRAGMA page_count", ())
        return LogSize(events=self._head(), log_bytes=pages * self._one("PRAGMA page_size", ()))

    async def written_by(self, times: Sequence[datetime]) -> Sequence[int]:
        """See `LogStats.written_by`."""
        head = self._head()
        return [self._last_at(at, head) for at in times]

    async def last(self, limit: int) -> Sequence[Written]:
        """See `LogStats.last`."""
        rows = self._rows("SELECT job_id, position, at FROM log ORDER BY global_position DESC LIMIT ?", (limit,))
        return [
            Written(job_id=str(job_id), position=int(str(position)), at=datetime.fromisoformat(str(at)))
            for job_id, position, at in rows
        ]

    async def close(self) -> None:
        """See `LogStats.close`."""
        self._file.close()

    def _head(self) -> int:
        return self._one("SELECT coalesce(max(global_position), 0) FROM log", ())

    def _last_at(self, at: datetime, head: int) -> int:
        """Return the last global position that was written at or before this time."""
        low, high = 0, head
        while low < high:
            middle = (low + high + 1) // 2
            (text,) = self._row("SELECT at FROM log WHERE global_position = ?", (middle,)) or (None,)
            if text is not None and datetime.fromisoformat(str(text)) <= at:
                low = middle
            else:
                high = middle - 1
        return low

    def _one(self, sql: str, arguments: tuple[object, ...]) -> int:
        row = self._row(sql, arguments)
        return int(str(row[0])) if row else 0

    def _row(self, sql: str, arguments: tuple[object, ...]) -> tuple[object, ...] | None:
        return next(iter(self._rows(sql, arguments)), None)

    def _rows(self, sql: str, arguments: tuple[object, ...]) -> list[tuple[object, ...]]:
        try:
            return self._file.connection.execute(sql, arguments).fetchall()
        except sqlite3.DatabaseError as error:
            raise TryAgain(f"the event log could not be read: {error}") from error
