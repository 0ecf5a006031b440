"""How a SQLite file is opened: to write it, or only to read what another process writes.

Whoever opens a connection closes it. None is left to the garbage collector, which Python 3.13 reports as a
`ResourceWarning`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path


def open_file(
    path: Path | str, prepare: Callable[[sqlite3.Connection], object], *, timeout_s: float = 10.0
) -> sqlite3.Connection:
    """Open a file to write it, make its folder, and prepare it: pragmas, schema.

    The connection commits each statement by itself and may be used by any thread, one at a time. When `prepare` fails,
    the connection is closed.

    Errors: `sqlite3.Error`; what `prepare` raises.
    """
    if isinstance(path, Path):
        path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, timeout=timeout_s, check_same_thread=False)
    try:
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


class ReadOnlyFile:
    """A reader's connection to a file that somebody else writes, in which it can change nothing.

    It follows the path and not the file that was there first: the file is opened when it is first needed, and again
    whenever another file has taken its place. So the reader gets over a store that comes late, goes away or is rebuilt.
    It never creates, migrates or checkpoints anything (source: sqlite.org/uri.html, `mode=ro`).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The open connection.

        Errors: sqlite3.OperationalError when the file cannot be opened.
        """
        try:
            status = os.stat(self._path)
        except OSError as error:
            self.close()
            raise sqlite3.OperationalError(f"{self._path.name} is not there") from error
        inode = (status.st_dev, status.st_ino)
        if self._open is None or inode != self._inode:
            self.close()
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            self._open = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10, check_same_thread=False)
            self._inode = inode
        return self._open

    def close(self) -> None:
        """Release it."""
        if self._open is not None:
            self._open.close()
            self._open = None
