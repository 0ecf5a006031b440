"""The ledger of places in a SQLite file that several processes of one machine share.

The file may be lost, so writes are not flushed. A write takes a fraction of a millisecond and blocks the event loop.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mayfly.admission.ledger import LedgerState, from_json, to_json
from mayfly.errors import TryAgain
from mayfly.sqlite_file import open_for_writing

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL,
    book TEXT NOT NULL
);
"""
_TIMEOUT_S = 5.0


class SqliteLedger:
    """`Ledger` in a file."""

    def __init__(self, path: Path) -> None:
        self._connection = open_for_writing(path, _SCHEMA, synchronous="OFF", timeout_s=_TIMEOUT_S)

    async def read(self) -> tuple[LedgerState | None, str]:
        with _translated():
            row = self._connection.execute("SELECT version, book FROM ledger").fetchone()
        return (None, "") if row is None else (from_json(row[1]), str(row[0]))

    async def write(self, state: LedgerState, *, expected: str) -> bool:
        text = to_json(state)
        with _translated():
            if not expected:
                statement = "INSERT INTO ledger (id, version, book) VALUES (1, 1, ?) ON CONFLICT DO NOTHING"
                return self._connection.execute(statement, (text,)).rowcount == 1
            statement = "UPDATE ledger SET version = version + 1, book = ? WHERE version = ?"
            return self._connection.execute(statement, (text, int(expected))).rowcount == 1

    async def close(self) -> None:
        self._connection.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise TryAgain(f"the ledger of places is unavailable: {error}") from error
