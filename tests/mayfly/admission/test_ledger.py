"""The stored form of the ledger: its keys never change, so that another version of the app can read it."""

from __future__ import annotations

import json

import pytest

from mayfly.admission.ledger import (
    Cooldown,
    Ledger,
    LedgerState,
    MemoryLedger,
    QueueEntry,
    Reservation,
    from_json,
    to_document,
    to_json,
)
from tests.contracts.ledger import LedgerContract

STORED = (
    '{"shares":{"ada-abcdefghij":["westeurope",1.25,1700000000.5]},'
    '"line":[["bob-abcdefghij",9,2.0,1.0,["westeurope","swedencentral"],3.5],["ada-bbcdefghij",5,1.0,2.0,[],4.5]],'
    '"creates":{"westeurope":[1.0,2.0],"*":[2.0]},"deletes":{"westeurope":[]},"bars":{"westeurope":[4.0,2.0]}}'
)
STATE = LedgerState(
    reservations={"ada-abcdefghij": Reservation(place="westeurope", cores=1.25, at=1_700_000_000.5)},
    queue={
        "bob-abcdefghij": QueueEntry(
            priority=9, submitted_at=2.0, cores=1.0, places=("westeurope", "swedencentral"), until=3.5
        ),
        "ada-bbcdefghij": QueueEntry(priority=5, submitted_at=1.0, cores=2.0, places=(), until=4.5),
    },
    creates={"westeurope": (1.0, 2.0), "*": (2.0,)},
    deletes={"westeurope": ()},
    cooldowns={"westeurope": Cooldown(until=4.0, cores=2.0)},
)


def test_a_stored_ledger_reads_back_with_its_queue_in_order() -> None:
    state = from_json(STORED)
    assert state == STATE
    assert list(state.queue) == ["bob-abcdefghij", "ada-bbcdefghij"]


def test_the_stored_form_does_not_change() -> None:
    assert json.loads(to_json(STATE)) == json.loads(STORED)
    assert to_document(STATE) == json.loads(STORED)


class TestMemory(LedgerContract):
    @pytest.fixture(autouse=True)
    def _ledger(self) -> None:
        self._one = MemoryLedger()

    def open(self) -> Ledger:
        return self._one
