"""Report unclosed SQLite connections on every Python, as the newest one does.

Python 3.13 warns if the garbage collector has to close a connection; older versions do not. Here all versions warn, and
the warning names the test that opened the connection. Warnings are errors in this suite.
"""

from __future__ import annotations

import functools
import os
import sqlite3
import warnings
from typing import Any


class WatchedConnection(sqlite3.Connection):
    """A connection that warns when it is collected while it is open."""

    def __init__(self, database: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(database, *arguments, **options)
        self._origin = f"{database}, opened in {os.environ.get('PYTEST_CURRENT_TEST', 'no test')}"

    def __del__(self) -> None:
        try:
            _ = self.total_changes
        except sqlite3.ProgrammingError:
            return  # closed, or never opened
        self.close()
        warnings.warn(f"unclosed SQLite connection to {self._origin}", ResourceWarning, stacklevel=2, source=self)


def watch_connections() -> None:
    """Watch every connection that this process opens from now on."""
    watched = functools.partial(sqlite3.connect, factory=WatchedConnection)
    sqlite3.connect = watched  # type: ignore[assignment]  # a partial has no overloads
