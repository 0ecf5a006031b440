"""Which part of a failed instance's history is to be lived again? Pure.

The failures at the end of the history, after which nothing more was scheduled, are taken out, and what failed is run
again under the ids it had. A failure that the code had handled stays, and so does one that retries had already spent
their attempts on: such an instance fails again as it did, unless its code was mended.

Source: learn.microsoft.com/azure/azure-functions/durable/durable-functions-instance-management (rewind).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from local_host.durable.history import (
    EXECUTION_COMPLETED,
    SCHEDULING,
    SUB_ORCHESTRATION_CREATED,
    SUB_ORCHESTRATION_FAILED,
    TASK_FAILED,
    Event,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rewound:
    history: list[Event]
    again: list[Event]
    """The `TaskScheduled` and `SubOrchestrationInstanceCreated` events of what is to be run again."""

    def children(self) -> list[Event]:
        return [event for event in self.again if event["EventType"] == SUB_ORCHESTRATION_CREATED]


def rewind(history: Sequence[Event]) -> Rewound:
    last_scheduled = max((i for i, event in enumerate(history) if event["EventType"] in SCHEDULING), default=-1)
    failed = {
        event["TaskScheduledId"]
        for event in history[last_scheduled + 1 :]
        if event["EventType"] in (TASK_FAILED, SUB_ORCHESTRATION_FAILED)
    }
    kept = [
        event
        for event in history
        if event["EventType"] != EXECUTION_COMPLETED
        and not (event["EventType"] in (TASK_FAILED, SUB_ORCHESTRATION_FAILED) and event["TaskScheduledId"] in failed)
    ]
    again = [event for event in history if event["EventType"] in SCHEDULING and event["EventId"] in failed]
    return Rewound(history=kept, again=again)
