"""What is a history event, as the SDK reads it?

Events are the JSON objects of the Durable Functions protocol. Event types and field names are those of the durable
extension. `EventId` is a sequence number in events that schedule something, and -1 in all others, also as in the
extension. This module creates events and never changes one.

Source: Azure/azure-functions-durable-extension.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, Final

Event = dict[str, Any]

encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
"""Return a value as compact JSON text."""


class EventType(IntEnum):
    """Types of events, with the numbers and names of the extension."""

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_FAILED = 2
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_ORCHESTRATION_INSTANCE_CREATED = 7
    SUB_ORCHESTRATION_INSTANCE_COMPLETED = 8
    SUB_ORCHESTRATION_INSTANCE_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_SENT = 14
    EVENT_RAISED = 15
    EXECUTION_SUSPENDED = 19
    EXECUTION_RESUMED = 20
    EXECUTION_REWOUND = 21


SCHEDULING: Final = frozenset(
    {
        EventType.TASK_SCHEDULED,
        EventType.SUB_ORCHESTRATION_INSTANCE_CREATED,
        EventType.TIMER_CREATED,
        EventType.EVENT_SENT,
    }
)
"""Types whose `EventId` is the id of the task that they schedule."""

COMPLETING: Final = {
    EventType.TASK_COMPLETED: "TaskScheduledId",
    EventType.TASK_FAILED: "TaskScheduledId",
    EventType.SUB_ORCHESTRATION_INSTANCE_COMPLETED: "TaskScheduledId",
    EventType.SUB_ORCHESTRATION_INSTANCE_FAILED: "TaskScheduledId",
    EventType.TIMER_FIRED: "TimerId",
}
"""Types that complete a scheduled task, with the field that holds its id."""


def type_name(kind: int) -> str:
    """Return the name of a type in the management API.

    >>> type_name(EventType.TASK_FAILED)
    'TaskFailed'
    """
    return EventType(kind).name.title().replace("_", "")


def event(kind: int, at: str, event_id: int = -1, **fields: Any) -> Event:
    """Create an event.

    Shapes: `at` is a time as formatted by `stamp`. Omit absent fields; the SDK defaults them to `None`.
    """
    return {"EventType": kind, "EventId": event_id, "IsPlayed": False, "Timestamp": at, **fields}


def stamp(when: datetime) -> str:
    """Format a UTC time as the protocol does.

    >>> stamp(datetime(2026, 1, 1, tzinfo=UTC))
    '2026-01-01T00:00:00.000000Z'
    """
    return when.isoformat(timespec="microseconds")[:26] + "Z"


def parse_stamp(text: str) -> datetime:
    """Parse a time; a time without a zone is UTC.

    >>> parse_stamp('2026-01-01T00:00:00.5Z') == datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    True
    """
    when = datetime.fromisoformat(text)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def micros(when: datetime) -> int:
    """Return microseconds since 1970, the unit of all times in the task hub."""
    return (when - _EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
