"""How does a change feed from a SQLite file reach its function? By tailing a table.

The connection `sqlite:PATH` names the file. The container name is a table or view with a column `_lsn` (integers that
only grow, with gaps allowed) and a column `document` (JSON text). The file is opened read-only. If the task hub is
lost, the feed starts again, from the beginning or from now, as the trigger says.

No row can appear below one that was already read: SQLite has one writer at a time, so numbers become visible in the
order in which they are assigned. (In a store with concurrent writers, a lower number may become visible later.)

Source: https://www.sqlite.org/pragma.html#pragma_data_version.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from azure.functions import Document, DocumentList

from local_host.app.functions import Function
from local_host.app.invocation import Invoker
from local_host.clock import Clock
from local_host.durable.hub import TaskHub
from local_host.triggers.change_feed import ChangeFeedTrigger

log = logging.getLogger("local_host.triggers.sqlite_feed")


class SqliteFeedTrigger(ChangeFeedTrigger):
    """One change feed function whose documents are in a SQLite file."""

    def __init__(
        self, function: Function, *, settings: Mapping[str, str], hub: TaskHub, clock: Clock, invoker: Invoker
    ) -> None:
        super().__init__(function, settings=settings, hub=hub, clock=clock, invoker=invoker)
        self._path = Path(self._connection.removeprefix("sqlite:"))
        self._table = '"' + self._container.replace('"', '""') + '"'
        self._lease = f"{self._lease_prefix}{self._table}"
        self._source: _Source | None = None
        hub.db.execute(_SCHEMA)

    async def run(self) -> None:
        try:
            while True:
                if not await self.deliver():
                    await self._clock.sleep_until(self._clock.now() + _POLL_INTERVAL)
        finally:
            self.close()

    async def deliver(self) -> bool:
        """Deliver one batch, including its retries; return whether there was one."""
        rows = self._read()
        if not rows:
            return False
        documents = DocumentList(self._documents(rows))
        if documents:
            batch = f"documents {rows[0][0]} to {rows[-1][0]} of {self._table}"
            await self._call_with_retries(documents, batch=batch)
        self._store_position(rows[-1][0])
        return True

    def close(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None

    def _documents(self, rows: list[tuple[int, str]]) -> Iterator[Document]:
        for lsn, text in rows:
            try:
                document = json.loads(text)
                document.setdefault("_lsn", lsn)
            except (ValueError, AttributeError):
                log.error("Row %s of %s in %s is not a JSON object; skipping it.", lsn, self._table, self._path)
                continue
            yield Document.from_dict(document)

    def _read(self) -> list[tuple[int, str]]:
        try:
            source = self._open()
            if source is None or not source.has_changed():
                return []
            position = self._position(source)
            rows = source.read(self._table, position, self._batch)
        except sqlite3.Error as fault:
            # The file or the table does not exist yet, or its writer holds a lock.
            self._log_fault(self._path, fault)
            self.close()
            return []
        if len(rows) == self._batch:
            source.expect_more()
        return rows

    def _open(self) -> _Source | None:
        if self._source is not None and not self._source.is_current():
            self.close()
        if self._source is None and self._path.exists():
            self._source = _Source(self._path)
        return self._source

    def _position(self, source: _Source) -> int:
        row = self._hub.db.execute("SELECT position FROM feeds WHERE lease=?", (self._lease,)).fetchone()
        highest = source.highest(self._table)
        if row is None:
            position = 0 if self._from_beginning else highest
            self._store_position(position)
            return position
        position = int(row[0])
        if position > highest:
            log.warning(
                "%s ends at %s, before the stored position %s, so it was replaced. Reading it from the beginning.",
                self._path,
                highest,
                position,
            )
            self._store_position(0)
            return 0
        return position

    def _store_position(self, position: int) -> None:
        self._hub.db.execute(
            "INSERT INTO feeds(lease,position) VALUES(?,?) ON CONFLICT(lease) DO UPDATE SET position=excluded.position",
            (self._lease, position),
        )


_POLL_INTERVAL = timedelta(milliseconds=25)

_SCHEMA = "CREATE TABLE IF NOT EXISTS feeds(lease TEXT PRIMARY KEY, position INTEGER NOT NULL)"


class _Source:
    """A read-only connection to the file that knows whether the file has changed since the last read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity = _identity(path)
        self._db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, check_same_thread=False)
        self._db.execute("PRAGMA busy_timeout=0")
        self._version_read: int | None = None

    def close(self) -> None:
        self._db.close()

    def is_current(self) -> bool:
        """Return whether the path still names the open file."""
        return _identity(self._path) == self._identity

    def has_changed(self) -> bool:
        """Return whether the file has changed since the last call."""
        version = int(self._db.execute("PRAGMA data_version").fetchone()[0])
        changed = version != self._version_read
        self._version_read = version
        return changed

    def expect_more(self) -> None:
        """Make the next `has_changed` return true, because the last read may not have reached the end."""
        self._version_read = None

    def highest(self, table: str) -> int:
        row = self._db.execute(f"SELECT max(_lsn) FROM {table}").fetchone()  # noqa: S608 - quoted by the caller
        return int(row[0] or 0)

    def read(self, table: str, after: int, limit: int) -> list[tuple[int, str]]:
        rows = self._db.execute(
            f"SELECT _lsn,document FROM {table} WHERE _lsn>? ORDER BY _lsn LIMIT ?",  # noqa: S608 - as above
            (after, limit),
        )
        return [(int(lsn), str(text)) for lsn, text in rows]


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
