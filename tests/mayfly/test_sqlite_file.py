"""That no file stays open that could not be prepared, and that closing one store closes the others too."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mayfly import composition
from mayfly.admission.sqlite import SqliteLedger
from mayfly.intake.sqlite import SqliteIntakeRecord
from mayfly.log.sqlite.event_log import SqliteEventLog
from mayfly.settings import read_settings
from mayfly.views.sqlite.job_views import SqliteJobViews
from tests.mayfly.composed import compose
from tests.mayfly.connections import Connections
from tests.mayfly.log.memory import MemoryEventLog

STORES: list[Callable[[Path], object]] = [SqliteEventLog, SqliteJobViews, SqliteIntakeRecord, SqliteLedger]


@pytest.mark.parametrize("store", STORES)
def test_a_file_that_is_no_store_is_closed_again(
    store: Callable[[Path], object], tmp_path: Path, connections: Connections
) -> None:
    (tmp_path / "store.db").write_bytes(b"this is no database, and it is longer than a header" * 99)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        store(tmp_path / "store.db")
    assert len(connections.opened) == 1
    assert connections.all_closed()


def test_a_log_that_can_be_opened_only_once_is_closed_again(tmp_path: Path, connections: Connections) -> None:
    connections.opened_max = 1
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        SqliteEventLog(tmp_path / "log.db")
    assert len(connections.opened) == 1
    assert connections.all_closed()


@pytest.mark.parametrize("damaged", ["log.db", "views.db", "intake.db"])
def test_where_one_file_is_no_store_none_is_left_open(tmp_path: Path, connections: Connections, damaged: str) -> None:
    """Every request composes again until it succeeds."""
    (tmp_path / damaged).write_bytes(b"this is no database, and it is longer than a header" * 99)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        composition.compose(read_settings({"MAYFLY_DATA": str(tmp_path)}))
    assert connections.opened
    assert connections.all_closed()


@pytest.mark.parametrize(
    ("obstacle", "environment"),
    [
        ("containers", {}),
        (
            "ledger.db",
            {
                "MAYFLY_RUNTIME": "aci",
                "MAYFLY_SUBSCRIPTION": "s",
                "MAYFLY_RESOURCE_GROUP": "rg",
                "MAYFLY_PLACES": "westeurope",
                "MAYFLY_WORKER_IMAGE": "worker:1",
            },
        ),
    ],
)
def test_where_the_runtime_or_its_ledger_cannot_be_opened_no_store_is_left_open(
    tmp_path: Path, connections: Connections, obstacle: str, environment: dict[str, str]
) -> None:
    (tmp_path / obstacle).write_bytes(b"this is neither a folder nor a database, but longer than a header" * 99)
    with pytest.raises((FileExistsError, sqlite3.DatabaseError)):
        composition.compose(read_settings({"MAYFLY_DATA": str(tmp_path), **environment}))
    assert len(connections.opened) >= 4
    assert connections.all_closed()


class _StuckLog(MemoryEventLog):
    async def close(self) -> None:
        raise OSError("the log does not close")


def test_a_store_that_does_not_close_leaves_no_other_open(runner: asyncio.Runner, connections: Connections) -> None:
    mayfly = replace(compose(runner).mayfly, log=_StuckLog())
    with pytest.raises(OSError, match="does not close"):
        runner.run(mayfly.close())
    assert len(connections.opened) == 2
    assert connections.all_closed()
