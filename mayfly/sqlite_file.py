"""A SQLite file that somebody else writes, opened so that nothing in it can be changed.

The reader opens the file when it first needs it and again whenever another file has taken its place, so that it gets
over a store that comes late, goes away or is rebuilt. It never creates, migrates or checkpoints anything
(source: sqlite.org/uri.html, `mode=ro`).
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path


class ReadOnlyFile:
    """A reader's connection, which follows the path and not the file that was there first."""

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
