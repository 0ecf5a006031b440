"""`MemoryEventLog` fulfills the contract."""

from __future__ import annotations

from mayfly.log.event_log import EventLog
from tests.contracts.event_log import EventLogContract
from tests.mayfly.log.memory import MemoryEventLog


class TestMemory(EventLogContract):
    def open(self) -> EventLog:
        return MemoryEventLog()
