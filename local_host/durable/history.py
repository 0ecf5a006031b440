"""What is a history event, as the SDK reads it?

Events are the JSON objects of the Durable Functions protocol. Event types and field names are those of the durable
extension. `EventId` is a sequence number in events that schedule something, and -1 in all others, also as in the
extension. This module creates events and never changes one.

Source: Azure/azure-functions-durable-extension.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

Event = dict[str, Any]

EXECUTION_STARTED: Final = 0
EXECUTION_COMPLETED: Final = 1
EXECUTION_FAILED: Final = 2
EXECUTION_TERMINATED: Final = 3
TASK_SCHEDULED: Final = 4
TASK_COMPLETED: Final = 5
TASK_FAILED: Final = 6
SUB_ORCHESTRATION_CREATED: Final = 7
SUB_ORCHESTRATION_COMPLETED: Final = 8
SUB_ORCHESTRATION_FAILED: Final = 9
TIMER_CREATED: Final = 10
TIMER_FIRED: Final = 11
ORCHESTRATOR_STARTED: Final = 12
ORCHESTRATOR_COMPLETED: Final = 13
EVENT_SENT: Final = 14
EVENT_RAISED: Final = 15
EXECUTION_SUSPENDED: Final = 19
EXECUTION_RESUMED: Final = 20
EXECUTION_REWOUND: Final = 21

SCHEDULING: Final = frozenset({TASK_SCHEDULED, SUB_ORCHESTRATION_CREATED, TIMER_CREATED, EVENT_SENT})
"""Types whose `EventId` is the id of the task that they schedule."""

COMPLETING: Final = {
    TASK_COMPLETED: "TaskScheduledId",
    TASK_FAILED: "TaskScheduledId",
    SUB_ORCHESTRATION_COMPLETED: "TaskScheduledId",
    SUB_ORCHESTRATION_FAILED: "TaskScheduledId",
    TIMER_FIRED: "TimerId",
}
"""Types that complete a scheduled task, with the field that holds its id."""

TYPE_NAMES: Final = {
    EXECUTION_STARTED: "ExecutionStarted",
    EXECUTION_COMPLETED: "ExecutionCompleted",
    EXECUTION_FAILED: "ExecutionFailed",
    EXECUTION_TERMINATED: "ExecutionTerminated",
    TASK_SCHEDULED: "TaskScheduled",
    TASK_COMPLETED: "TaskCompleted",
    TASK_FAILED: "TaskFailed",
    SUB_ORCHESTRATION_CREATED: "SubOrchestrationInstanceCreated",
    SUB_ORCHESTRATION_COMPLETED: "SubOrchestrationInstanceCompleted",
    SUB_ORCHESTRATION_FAILED: "SubOrchestrationInstanceFailed",
    TIMER_CREATED: "TimerCreated",
    TIMER_FIRED: "TimerFired",
    ORCHESTRATOR_STARTED: "OrchestratorStarted",
    ORCHESTRATOR_COMPLETED: "OrchestratorCompleted",
    EVENT_SENT: "EventSent",
    EVENT_RAISED: "EventRaised",
    EXECUTION_SUSPENDED: "ExecutionSuspended",
    EXECUTION_RESUMED: "ExecutionResumed",
    EXECUTION_REWOUND: "ExecutionRewound",
}


def event(kind: int, at: str, event_id: int = -1, **fields: Any) -> Event:
    """Create an event.

    Shapes: `at` is a time as formatted by `stamp`. Omit absent fields; the SDK defaults them to `None`.
    """
    return {"EventType": kind, "EventId": event_id, "IsPlayed": False, "Timestamp": at, **fields}


def episode_mark(kind: int, at: str) -> tuple[Event, str]:
    """Create an event without fields, and its text. Every episode has two of them.

    >>> made, text = episode_mark(ORCHESTRATOR_STARTED, "2026-01-01T00:00:00.000000Z")
    >>> (made, text) == (event(ORCHESTRATOR_STARTED, "2026-01-01T00:00:00.000000Z"), encode(made))
    True
    """
    return event(kind, at), f'{{"EventType":{kind},"EventId":-1,"IsPlayed":false,"Timestamp":"{at}"}}'


def encode(value: Any) -> str:
    """Return compact JSON text."""
    return _encode(value)


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
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
