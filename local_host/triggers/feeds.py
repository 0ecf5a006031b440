"""How does a change feed reach its function on one machine? By tailing a table of a SQLite file.

(A connection that begins with `AccountEndpoint=` is Cosmos DB's own feed: see cosmos_feeds.py.)

The connection `sqlite:PATH` and the container name stand for a table or view of that name, with a column `_lsn` (whole
numbers that only grow, gaps allowed) and a column `document` (JSON text). The file is opened read-only. Batches come in
order and at least once. The position lies in the task hub and moves after the function has returned: without the task
hub the feed starts again, from the beginning or from now, as the trigger says.

No row can appear below one that was already seen: SQLite has one writer at a time, so numbers become visible in the
order in which they were given. (In a store with concurrent writers a lower number may become visible later.)

A batch whose function fails is given again as its retry policy says. Without one, or after the last retry, it is
skipped, as in Azure; the log says which.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-cosmosdb-v2-trigger;
https://www.sqlite.org/pragma.html#pragma_data_version.
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

log = logging.getLogger("local_host.triggers.feeds")


class FeedTrigger:
    """One change feed function."""

    def __init__(
        self,
        function: Function,
        *,
        settings: Mapping[str, str],
        hub: TaskHub,
        clock: Clock,
        invoker: Invoker,
    ) -> None:
        trigger = function.trigger
        self._function = function
        self._hub = hub
        self._clock = clock
        self._invoker = invoker
        self._path = Path(settings[trigger["connection"]].removeprefix("sqlite:"))
        self._table = '"' + str(trigger["containerName"]).replace('"', '""') + '"'
        self._batch = int(trigger.get("maxItemsPerInvocation") or _BATCH_DOCUMENTS)
        self._from_beginning = bool(trigger.get("startFromBeginning"))
        self._lease = f"{trigger.get('leaseContainerPrefix') or ''}{function.name}@{self._table}"
        self._source: _Source | None = None
        self._fault = ""
        hub.db.execute(_SCHEMA)

    async def run(self) -> None:
        """Deliver what comes until cancelled."""
        try:
            while True:
                if not await self.deliver():
                    await self._clock.sleep_until(self._clock.now() + _IDLE)
        finally:
            self.close()

    async def deliver(self) -> bool:
        """Deliver one batch, with its retries; return whether there was one."""
        rows = self._read()
        if not rows:
            return False
        documents = DocumentList(self._documents(rows))
        if documents:
            what = f"documents {rows[0][0]} to {rows[-1][0]} of {self._table}"
            await call_with_retries(self._function, documents, what=what, invoker=self._invoker, clock=self._clock)
        self._store_position(rows[-1][0])
        return True

    async def run_once(self, text: str) -> None:
        """Call the function with documents that somebody gave by hand, as JSON text."""
        await self._invoker.call(self._function, documents_given(text))

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
                log.error("Row %s of %s in %s holds no JSON object; it is skipped.", lsn, self._table, self._path)
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
            # Not there yet, no such table yet, or locked by its writer: looked at again soon.
            if str(fault) != self._fault:
                self._fault = str(fault)
                log.info("Feed function '%s' waits for %s: %s", self._function.name, self._path, fault)
            self.close()
            return []
        if len(rows) == self._batch:
            source.look_again()
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
            log.warning("%s ends before position %s: it is another log, read from its beginning.", self._path, position)
            self._store_position(0)
            return 0
        return position

    def _store_position(self, position: int) -> None:
        self._hub.db.execute(
            "INSERT INTO feeds(lease,position) VALUES(?,?) ON CONFLICT(lease) DO UPDATE SET position=excluded.position",
            (self._lease, position),
        )


def documents_given(text: str) -> DocumentList:
    """Return the documents in a JSON text: a list of them, one alone, or none where it is empty."""
    given = json.loads(text) if text else []
    items = given if isinstance(given, list) else [given]
    return DocumentList(Document.from_dict(item) for item in items)


async def call_with_retries(
    function: Function, documents: DocumentList, *, what: str, invoker: Invoker, clock: Clock
) -> None:
    """Call a feed function until it succeeds or its retry policy gives up; then the batch is skipped, as in Azure."""
    policy = function.retry
    failures = 0
    while True:
        try:
            retry = None if policy is None else (failures, policy.retries_max)
            await invoker.call(function, documents, retry=retry)
            return
        except Exception:
            failures += 1
            pause = None if policy is None else policy.pause(failures)
            if pause is None:
                log.exception("Feed function '%s' failed; %s are skipped.", function.name, what)
                return
            log.exception("Feed function '%s' failed on %s; trying again.", function.name, what)
            await clock.sleep_until(clock.now() + pause)


_BATCH_DOCUMENTS = 100
_IDLE = timedelta(milliseconds=25)

_SCHEMA = "CREATE TABLE IF NOT EXISTS feeds(lease TEXT PRIMARY KEY, position INTEGER NOT NULL)"


class _Source:
    """One connection to the file, and what it has seen of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity = _identity(path)
        self._db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, check_same_thread=False)
        self._db.execute("PRAGMA busy_timeout=0")
        self._seen: int | None = None

    def close(self) -> None:
        self._db.close()

    def is_current(self) -> bool:
        """Say whether the path still leads to the file that is open."""
        return _identity(self._path) == self._identity

    def has_changed(self) -> bool:
        version = int(self._db.execute("PRAGMA data_version").fetchone()[0])
        changed = version != self._seen
        self._seen = version
        return changed

    def look_again(self) -> None:
        self._seen = None

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
