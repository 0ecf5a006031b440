"""Stats of the log in a SQLite file: global positions have no gaps, so the last one is the count.

Appends are in order of time, so a binary search finds the count at a given time without an index on time. If two
writers' clocks disagree, the answer is off by the events of the difference.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from mayfly.log.stats import LogSize, Written
from mayfly.sqlite_file import ReadOnlyFile, fetch


class SqliteLogStats:
    """`LogStats` for a file that another process writes."""

    def __init__(self, path: Path) -> None:
        self._file = ReadOnlyFile(path)
        self._fetch = partial(fetch, self._file, "the event log could not be read")

    async def size(self) -> LogSize:
        ((pages,),) = self._fetch("PRAGMA page_count")
        ((page_bytes,),) = self._fetch("PRAGMA page_size")
        return LogSize(events=self._head(), log_bytes=pages * page_bytes)

    async def written_by(self, times: Sequence[datetime]) -> Sequence[int]:
        positions = range(1, self._head() + 1)
        return [bisect_right(positions, at, key=self._written_at) for at in times]

    async def last(self, limit: int) -> Sequence[Written]:
        rows = self._fetch("SELECT job_id, position, at FROM log ORDER BY global_position DESC LIMIT ?", limit)
        return [
            Written(job_id=job_id, position=position, at=datetime.fromisoformat(at)) for job_id, position, at in rows
        ]

    async def close(self) -> None:
        self._file.close()

    def _head(self) -> int:
        ((head,),) = self._fetch("SELECT coalesce(max(global_position), 0) FROM log")
        return int(head)

    def _written_at(self, global_position: int) -> datetime:
        rows = self._fetch("SELECT at FROM log WHERE global_position = ?", global_position)
        return datetime.fromisoformat(rows[0][0]) if rows else datetime.max.replace(tzinfo=UTC)
