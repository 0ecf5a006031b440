"""What has happened in an instance's current execution?

An execution is one run of an instance from its start or its last continue-as-new: the instance's row and its history.
Executions stay cached for a while, because an instance that was just active is likely to be active again. The total
length of the cached histories is bounded, and a dropped execution is read from the hub again. A waiting instance
therefore costs only its rows in the hub.

The cache mirrors the hub as seen inside the open transaction. Call `forget_all` when a transaction is rolled back.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass

from cachetools import LRUCache

from local_host.durable.history import COMPLETING, SCHEDULING, Event
from local_host.durable.hub import Instance, TaskHub


@dataclass(kw_only=True, slots=True)
class Execution:
    """One instance and its history.

    Shapes: `text` is the history as JSON events joined by commas, and `events` is the same, parsed. `next_chunk` is the
    number of the next history row. `open_ids` are the ids of tasks that are scheduled and not completed, including
    canceled timers. `cancelled` are the ids whose timers are already deleted.
    """

    instance: Instance
    text: str
    events: list[Event]
    next_chunk: int
    open_ids: set[int]
    cancelled: set[int]


class ExecutionCache:
    """A bounded LRU cache of executions. Units: its size is the number of characters of history."""

    def __init__(self, hub: TaskHub, *, characters_max: int = 1_000_000) -> None:
        self._hub = hub
        self._cached: LRUCache[int, Execution] = LRUCache(characters_max, getsizeof=lambda one: len(one.text) + 1)

    def load(self, key: int) -> Execution | None:
        """Return an execution, or `None` if the instance does not exist."""
        cached = self._cached.get(key)
        if cached is not None:
            return cached
        instance = self._hub.instance_by_key(key)
        if instance is None:
            return None
        chunks, next_chunk = self._hub.history(key)
        text = ",".join(chunks)
        events: list[Event] = json.loads(f"[{text}]")
        execution = Execution(
            instance=instance,
            text=text,
            events=events,
            next_chunk=next_chunk,
            open_ids=_open_ids(events),
            cancelled=set(),
        )
        self._keep(execution)
        return execution

    def append(self, execution: Execution, text: str, events: list[Event]) -> None:
        """Append one episode to the history in the hub and in the cache."""
        self._hub.append_history(execution.instance.key, execution.next_chunk, text)
        execution.next_chunk += 1
        execution.text = f"{execution.text},{text}" if execution.text else text
        execution.events.extend(events)
        self._keep(execution)

    def forget(self, key: int) -> None:
        self._cached.pop(key, None)

    def forget_all(self) -> None:
        self._cached.clear()

    def _keep(self, execution: Execution) -> None:
        self.forget(execution.instance.key)
        with contextlib.suppress(ValueError):  # it is larger than the whole cache
            self._cached[execution.instance.key] = execution


def _open_ids(events: list[Event]) -> set[int]:
    scheduled: set[int] = set()
    for event in events:
        kind = event["EventType"]
        if kind in SCHEDULING:
            scheduled.add(event["EventId"])
        elif kind in COMPLETING:
            scheduled.discard(event[COMPLETING[kind]])
    return scheduled
