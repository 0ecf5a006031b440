from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from tests.mayfly.composed import Composed, compose
from tests.mayfly.connections import Connections


@pytest.fixture
def composed(runner: asyncio.Runner) -> Iterator[Composed]:
    composed = compose(runner)
    yield composed
    composed.close()


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Connections:
    connections, connect = Connections(), sqlite3.connect

    def watched(*arguments: Any, **options: Any) -> sqlite3.Connection:
        if len(connections.opened) == connections.opened_max:
            raise sqlite3.OperationalError("unable to open database file")
        connections.opened.append(connect(*arguments, **options))
        return connections.opened[-1]

    monkeypatch.setattr(sqlite3, "connect", watched)
    return connections
