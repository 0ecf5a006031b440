"""Which part of a failed instance's history does a rewind repeat? Pure.

A rewind removes the failures at the end of the history, after which nothing was scheduled, and runs the failed tasks
again under their old ids. It keeps failures that the code handled. It also keeps failures that exhausted their retry
policy, so such an instance fails again in the same way unless its code was fixed.

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
    """A history without its last failures, and the tasks to run again.

    Shapes: both are in history order. `rerun` holds the `TaskScheduled` and `SubOrchestrationInstanceCreated` events of
    the failed tasks, which are also in `history`; it is empty if the orchestrator itself raised.
    """

    history: list[Event]
    rerun: list[Event]

    def children(self) -> list[Event]:
        """Return the sub-orchestrations among `rerun`."""
        return [event for event in self.rerun if event["EventType"] == SUB_ORCHESTRATION_CREATED]


def rewind(history: Sequence[Event]) -> Rewound:
    """Remove the last failures from a history."""
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
    rerun = [event for event in history if event["EventType"] in SCHEDULING and event["EventId"] in failed]
    return Rewound(history=kept, rerun=rerun)
