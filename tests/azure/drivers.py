"""The local host's engine drives the real orchestrator and its activities on a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from local_host.durable.engine import Engine
from local_host.durable.hub import ActivityCall, TaskHub
from mayfly.orchestrators import ORCHESTRATION
from orchestrations import activities, run_job
from tests.engine_work import ready
from tests.virtual_clock import VirtualClock

_AT_ONCE = 32
"""As `maxConcurrentActivityFunctions` in host.json."""


class EngineDriver:
    """The engine, its orchestrator and its activities; as many of them at once as in Azure."""

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
        """Do what can be done now; False when there was nothing."""
        items = ready(self.engine)
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


def _activities() -> Mapping[str, Callable[[Any], Awaitable[Any]]]:
    names = ("begin_attempt", "observe_attempt", "end_attempt")
    return {name: _function(getattr(activities, name)) for name in names}


def _function(builder: Any) -> Any:
    return builder._function.get_user_function()
