"""The intake record in SQLite fulfills the contract, and its file accepts no change of a record."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mayfly.intake.intake_record import IntakeRecord
from mayfly.intake.sqlite import SqliteIntakeRecord
from tests.contracts.intake_record import REJECTED, IntakeRecordContract


class TestSqlite(IntakeRecordContract):
    def open(self) -> IntakeRecord:
        return SqliteIntakeRecord(":memory:")


@pytest.mark.parametrize("statement", ["UPDATE refusals SET reason = ''", "DELETE FROM refusals"])
def test_the_file_itself_refuses_to_change_or_delete_a_record(tmp_path: Path, statement: str) -> None:
    record = SqliteIntakeRecord(tmp_path / "intake.db")
    asyncio.run(record.record(REJECTED))
    with (
        closing(sqlite3.connect(tmp_path / "intake.db")) as stranger,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        stranger.execute(statement)
    assert list(asyncio.run(record.rejections())) == [REJECTED]
    asyncio.run(record.close())
