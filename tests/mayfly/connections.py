"""The SQLite connections that a test opens, and whether they are closed again."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field


@dataclass
class Connections:
    """Every connection that a test opens."""

    opened: list[sqlite3.Connection] = field(default_factory=list)
    opened_max: int = 9

    def all_closed(self) -> bool:
        return not any(_is_open(connection) for connection in self.opened)


def _is_open(connection: sqlite3.Connection) -> bool:
    try:
        _ = connection.total_changes
    except sqlite3.ProgrammingError:
        return False
    return True
