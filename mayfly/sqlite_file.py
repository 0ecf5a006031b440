"""How Mayfly opens SQLite files: to write one, or only to read one that another process writes.

Each connection is closed by its owner. Python 3.13 reports a connection left to the garbage collector as a
`ResourceWarning`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from mayfly.errors import TryAgain

Synchronous = Literal["FULL", "NORMAL", "OFF"]
"""When a commit waits for the disk. `FULL`: always. `NORMAL`: at checkpoints. `OFF`: never.

Source: sqlite.org/pragma.html#pragma_synchronous.
"""


def open_for_writing(
    path: Path | str,
    schema: str,
    *,
    synchronous: Synchronous,
    upgrade: Callable[[sqlite3.Connection], object] | None = None,
    timeout_s: float = 10.0,
) -> sqlite3.Connection:
    """Open a file for writing in WAL mode; create its folder and the missing parts of its schema.

    Each statement commits on its own, and any thread may use the connection, one at a time.

    Shapes: `path` as text may be `:memory:`. `schema` is run each time. `upgrade` runs first.
    Units: `timeout_s`: seconds to wait for another process's lock.
    Errors: `sqlite3.Error`, and any error of `upgrade`; the connection is closed.
    """
    if isinstance(path, Path):
        path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, timeout=timeout_s, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        if upgrade is not None:
            upgrade(connection)
        connection.executescript(schema)
    except BaseException:
        connection.close()
        raise
    return connection


class ReadOnlyFile:
    """A read-only connection to a file that another process writes.

    It follows the path, not the file that was there first: it opens the file on first use and again after the file is
    replaced. So a reader tolerates a store that appears late, disappears or is rebuilt. It never creates, migrates or
    checkpoints anything (source: sqlite.org/uri.html, `mode=ro`).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None

    def execute(self, sql: str, arguments: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run a query.

        Errors: those of `sqlite3`; `sqlite3.OperationalError` if the file cannot be opened.
        """
        try:
            status = os.stat(self._path)
        except OSError as error:
            self.close()
            raise sqlite3.OperationalError(f"{self._path.name} does not exist") from error
        inode = (status.st_dev, status.st_ino)
        if self._open is None or inode != self._inode:
            self.close()
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            self._open = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10, check_same_thread=False)
            self._inode = inode
        return self._open.execute(sql, arguments)

    def close(self) -> None:
        """Close the connection, if it is open."""
        if self._open is not None:
            self._open.close()
            self._open = None


def fetch(file: sqlite3.Connection | ReadOnlyFile, failure: str, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
    """Return all rows that a query finds.

    Errors: `TryAgain`; `failure` begins its text, such as "the event log could not be read".
    """
    try:
        return file.execute(sql, arguments).fetchall()
    except sqlite3.DatabaseError as error:
        raise TryAgain(f"{failure}: {error}") from error
