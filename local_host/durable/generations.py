"""What has happened to an instance since it last began anew, ready to be replayed?

A generation is an instance's row and its history, read from the hub and kept for a while, because an instance that was
active a moment ago is likely to be active again. The cache is bounded by the length of the histories in it; whoever is
dropped is read again. A waiting instance therefore costs its rows in the hub and nothing else.

The cache mirrors what is in the hub inside the running transaction. When a transaction is rolled back, `forget_all`.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass

from local_host.durable.history import COMPLETING, SCHEDULING, Event
from local_host.durable.hub import Instance, TaskHub


@dataclass(kw_only=True, slots=True)
class Generation:
    """One instance and its history.

    Shapes: `text` is the history as JSON events joined by commas, `events` the same, parsed. `open_ids` are the ids
    that were scheduled and not completed, cancelled timers included; `cancelled` those whose timers are deleted.
    """

    instance: Instance
    text: str
    events: list[Event]
    next_chunk: int
    open_ids: set[int]
    cancelled: set[int]


class Generations:
    """A bounded cache of generations, least recently used out first."""

    def __init__(self, hub: TaskHub, *, characters_max: int = 1_000_000) -> None:
        self._hub = hub
        self._characters_max = characters_max
        self._characters = 0
        self._cached: OrderedDict[int, Generation] = OrderedDict()

    def load(self, key: int) -> Generation | None:
        """Return a generation, or `None` when there is no such instance."""
        cached = self._cached.get(key)
        if cached is not None:
            self._cached.move_to_end(key)
            return cached
        instance = self._hub.instance_by_key(key)
        if instance is None:
            return None
        chunks, next_chunk = self._hub.history(key)
        text = ",".join(chunks)
        events: list[Event] = json.loads(f"[{text}]")
        generation = Generation(
            instance=instance,
            text=text,
            events=events,
            next_chunk=next_chunk,
            open_ids=_open_ids(events),
            cancelled=set(),
        )
        self._cached[key] = generation
        self._characters += _cost(text)
        self._shrink()
        return generation

    def append(self, generation: Generation, text: str, events: list[Event]) -> None:
        """Append one episode, in the hub and here."""
        key = generation.instance.key
        self._hub.append_history(key, generation.next_chunk, text)
        generation.next_chunk += 1
        if key in self._cached:
            self._characters += len(text) + 1
        generation.text = f"{generation.text},{text}" if generation.text else text
        generation.events.extend(events)
        self._shrink()

    def forget(self, key: int) -> None:
        generation = self._cached.pop(key, None)
        if generation is not None:
            self._characters -= _cost(generation.text)

    def forget_all(self) -> None:
        self._cached.clear()
        self._characters = 0

    def _shrink(self) -> None:
        while self._characters > self._characters_max and self._cached:
            _, dropped = self._cached.popitem(last=False)
            self._characters -= _cost(dropped.text)


def _cost(text: str) -> int:
    return len(text) + 1


def _open_ids(events: list[Event]) -> set[int]:
    scheduled: set[int] = set()
    for event in events:
        kind = event["EventType"]
        if kind in SCHEDULING:
            scheduled.add(event["EventId"])
        elif kind in COMPLETING:
            scheduled.discard(event[COMPLETING[kind]])
    return scheduled
