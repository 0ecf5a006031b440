"""Which part of a failed instance's history does a rewind repeat? Pure.

A rewind removes the failures at the end of the history, after which nothing was scheduled, and runs the failed tasks
again under their old ids. It keeps failures that the code handled. It also keeps failures that exhausted their retry
policy, so such an instance fails again in the same way unless its code was fixed.

Source: learn.microsoft.com/azure/azure-functions/durable/durable-functions-instance-management (rewind).
"""

from __future__ import annotations

from collections.abc import Sequence

from local_host.durable.history import SCHEDULING, Event, EventType


def rewind(history: Sequence[Event]) -> tuple[list[Event], list[Event]]:
    """Remove the last failures from a history. Return the rest of it, and the events that scheduled the failed tasks.

    Shapes: both are in history order, and the first contains the second, which is empty if the orchestrator itself
    raised.
    """
    last_scheduled = max((i for i, event in enumerate(history) if event["EventType"] in SCHEDULING), default=-1)
    last_failures = [event for event in history[last_scheduled + 1 :] if event["EventType"] in _FAILURES]
    failed_ids = {event["TaskScheduledId"] for event in last_failures}
    kept = [
        event
        for event in history
        if event["EventType"] != EventType.EXECUTION_COMPLETED
        and not (event["EventType"] in _FAILURES and event["TaskScheduledId"] in failed_ids)
    ]
    return kept, [event for event in kept if event["EventType"] in SCHEDULING and event["EventId"] in failed_ids]


_FAILURES = frozenset({EventType.TASK_FAILED, EventType.SUB_ORCHESTRATION_INSTANCE_FAILED})
