"""What drives the activities by a virtual clock: the local host's engine, or the steps alone.

The engine replays the real orchestrator, which costs some 2 ms a turn. Where hundreds of jobs wait for hours the steps
are followed directly, by the rules of `orchestrations/run_job.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from local_host.clock import VirtualClock
from local_host.durable.engine import ActivityCall, Engine
from local_host.durable.hub import TaskHub
from mayfly.orchestrators import ORCHESTRATION
from orchestrations import activities, run_job

_AT_ONCE = 32
"""As `maxConcurrentActivityFunctions` in host.json."""


class Driver(Protocol):
    def start(self, job_id: str) -> None: ...

    def wake(self, job_id: str, event: str) -> None: ...

    def next_due(self) -> datetime | None: ...

    async def work(self) -> bool:
        """Do what can be done now; False when there was nothing."""
        ...

    def close(self) -> None: ...


class EngineDriver:
    """The orchestrator as it is."""

    def __init__(self, clock: VirtualClock) -> None:
        self.engine = Engine(
            hub=TaskHub(),
            clock=clock,
            orchestrators={ORCHESTRATION: _function(run_job.run_job)},
            activities=dict(_activities()),
        )

    def start(self, job_id: str) -> None:
        self.engine.start(ORCHESTRATION, instance_id=job_id)

    def wake(self, job_id: str, event: str) -> None:
        self.engine.raise_event(job_id, event, None)

    def next_due(self) -> datetime | None:
        return self.engine.next_due()

    async def work(self) -> bool:
        items = self.engine.ready()
        for item in items:
            if not isinstance(item, ActivityCall):
                self.engine.step(item)
        calls = [item for item in items if isinstance(item, ActivityCall)]
        for begin in range(0, len(calls), _AT_ONCE):
            batch = calls[begin : begin + _AT_ONCE]
            for completion in await asyncio.gather(*(self.engine.execute(call) for call in batch)):
                self.engine.commit(completion)
        return bool(items)

    def close(self) -> None:
        self.engine.hub.close()


class StepDriver:
    """The steps that the activities answer with, and nothing else."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._activities = _activities()
        self._next: dict[str, tuple[datetime, str, list[str]]] = {}
        self._events: dict[str, set[str]] = {}

    def start(self, job_id: str) -> None:
        self._next[job_id] = (self._clock.now(), "begin_attempt", [])
        self._events[job_id] = set()

    def wake(self, job_id: str, event: str) -> None:
        self._events[job_id].add(event)
        if job_id in self._next and event in self._next[job_id][2]:
            self._next[job_id] = (self._clock.now(), "end_attempt", [])

    def next_due(self) -> datetime | None:
        return min((at for at, _, _ in self._next.values()), default=None)

    async def work(self) -> bool:
        now = self._clock.now()
        due = [job_id for job_id, (at, _, _) in self._next.items() if at <= now]
        for begin in range(0, len(due), _AT_ONCE):
            await asyncio.gather(*(self._perform(job_id) for job_id in due[begin : begin + _AT_ONCE]))
        return bool(due)

    def close(self) -> None:
        """Nothing is held open."""

    async def _perform(self, job_id: str) -> None:
        _, activity, _ = self._next.pop(job_id)
        step = await self._activities[activity](job_id)
        if step["do"] == "done":
            return
        at = self._clock.now() if step["at"] is None else datetime.fromisoformat(step["at"])
        if self._events[job_id] & set(step["wake"]):
            self._events[job_id] -= set(step["wake"])
            step, at = {"do": "end_attempt", "wake": []}, self._clock.now()
        self._next[job_id] = (at, step["do"], step["wake"])


def _activities() -> Mapping[str, Callable[[Any], Awaitable[Any]]]:
    names = ("begin_attempt", "observe_attempt", "end_attempt")
    return {name: _function(getattr(activities, name)) for name in names}


def _function(builder: Any) -> Any:
    return builder._function.get_user_function()
