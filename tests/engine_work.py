"""How do tests drive an engine? Item by item, in any order, or until it is idle.

clock = VirtualClock()
engine = Engine(hub=TaskHub(), clock=clock, orchestrators={"main": main}, activities={"greet": greet})
instance_id = engine.start("main", input_text=encode_input({"job": 1}))
await run_until_idle(engine)
while (due := engine.next_due()) is not None:  # the earliest timer
    clock.advance_to(due)
    await run_until_idle(engine)
print(engine.status(instance_id).status)
"""

from __future__ import annotations

import json
from typing import Any

from local_host.durable.engine import Engine, Episode
from local_host.durable.hub import ActivityCall, TimerDue

WorkItem = Episode | TimerDue | ActivityCall


def ready(engine: Engine, *, limit: int = 256) -> list[WorkItem]:
    """List the available work: due timers, episodes and activities, each oldest first, at most `limit` of each."""
    return [
        *engine.timers_due(limit=limit),
        *engine.episodes(limit=limit),
        *engine.activity_calls(after=0, limit=limit),
    ]


async def run(engine: Engine, item: WorkItem) -> None:
    """Do one work item completely."""
    if isinstance(item, ActivityCall):
        engine.commit(await engine.execute(item))
    else:
        engine.step(item)


async def run_until_idle(engine: Engine) -> None:
    """Do all work that is available without advancing time."""
    while items := ready(engine):
        for item in items:
            await run(engine, item)


def encode_input(value: Any) -> str:
    """Encode an input as the SDK's client posts it: a JSON string that contains JSON.

    >>> encode_input({"job": 1})
    '"{\\\\"job\\\\": 1}"'
    """
    return json.dumps(json.dumps(value))
