"""What is there to do? The items of work that an engine lists, and what comes of the one kind that has two phases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from local_host.durable.hub import PendingActivity


@dataclass(frozen=True, kw_only=True, slots=True)
class Episode:
    """An instance has messages that it has not seen."""

    key: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TimerDue:
    slot: int
    instance_id: str
    fire_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivityCall:
    """An activity that was scheduled and has no result yet.

    Shapes: `instance_id` is `None` when the instance was purged or replaced meanwhile.
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
    """What an activity returned or raised; not known to anybody until it is committed."""

    call: ActivityCall
    result: str | None
    """JSON text of the value."""
    reason: str | None
    """Set when the activity failed, with `details`."""
    details: str | None
