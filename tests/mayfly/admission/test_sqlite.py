"""The ledger in a SQLite file fulfills the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mayfly.admission.ledger import Ledger
from mayfly.admission.sqlite import SqliteLedger
from tests.contracts.ledger import LedgerContract


class TestSqlite(LedgerContract):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path, runner: asyncio.Runner) -> Iterator[None]:
        self._path = tmp_path / "ledger.db"
        self._opened: list[SqliteLedger] = []
        yield
        for ledger in self._opened:
            runner.run(ledger.close())

    def open(self) -> Ledger:
        self._opened.append(SqliteLedger(self._path))
        return self._opened[-1]
