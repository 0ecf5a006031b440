"""What work is there? The items that an engine lists, and the result of the only one that has two phases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from local_host.durable.hub import PendingActivity


@dataclass(frozen=True, kw_only=True, slots=True)
class Episode:
    """An instance has unread messages. Shapes: `key` is the instance's key in the task hub."""

    key: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TimerDue:
    """A durable timer has come due.

    Shapes: `slot` identifies the timer in the task hub. `fire_at` is the time that the orchestrator set, in UTC.
    """

    slot: int
    instance_id: str
    fire_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivityCall:
    """A scheduled activity that has no result yet.

    Shapes: `number` identifies the call and grows with every call. `key` is the instance's key and `task_id` the id
    of the call within it. `input_text` is JSON, `None` for no input. `instance_id` is `None` if the instance has been
    purged or replaced since; the activity still runs, but its result is dropped.
    """

    number: int
    key: int
    task_id: int
    name: str
    input_text: str | None
    instance_id: str | None

    @classmethod
    def of(cls, pending: PendingActivity) -> ActivityCall:
        return cls(
            number=pending.number,
            key=pending.key,
            task_id=pending.task_id,
            name=pending.name,
            input_text=pending.input,
            instance_id=pending.instance_id,
        )


WorkItem = Episode | TimerDue | ActivityCall


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """The outcome of an activity; it has no effect until it is committed.

    Shapes: `result` is the JSON text of the value. A failed activity sets `reason` and `details` instead.
    """

    call: ActivityCall
    result: str | None
    reason: str | None
    details: str | None
