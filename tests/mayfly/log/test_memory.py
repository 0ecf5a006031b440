"""`MemoryEventLog` fulfills the contract."""

from __future__ import annotations

from mayfly.log.event_log import EventLog
from mayfly.log.memory import MemoryEventLog
from tests.contracts.event_log import EventLogContract


class TestMemory(EventLogContract):
    def open(self) -> EventLog:
        return MemoryEventLog()
