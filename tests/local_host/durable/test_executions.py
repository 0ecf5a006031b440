"""The cache of executions: the same as the hub, and bounded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_host.durable.executions import ExecutionCache
from local_host.durable.history import EventType, encode, event
from local_host.durable.hub import RUNNING, Instance, TaskHub

AT = "2026-01-01T00:00:00.000000Z"


@pytest.fixture
def hub() -> Iterator[TaskHub]:
    hub = TaskHub()
    yield hub
    hub.close()


def add_instance(hub: TaskHub, instance_id: str) -> int:
    return hub.add_instance(
        Instance(0, instance_id, "e", "main", "", RUNNING, None, None, None, 0, 0, None, None, None, None, 0)
    )


def test_a_loaded_execution_knows_which_tasks_are_open(hub: TaskHub) -> None:
    key = add_instance(hub, "i")
    events = [
        event(EventType.TASK_SCHEDULED, AT, 0, Name="A"),
        event(EventType.TIMER_CREATED, AT, 1, FireAt=AT),
        event(EventType.TASK_COMPLETED, AT, TaskScheduledId=0, Result="1"),
    ]
    hub.append_history(key, 0, ",".join(map(encode, events)))
    execution = ExecutionCache(hub).load(key)
    assert execution is not None
    assert (execution.open_ids, execution.next_chunk, execution.events) == ({1}, 1, events)
    assert ExecutionCache(hub).load(key + 1) is None


def test_an_appended_episode_is_the_same_from_the_cache_and_from_the_hub(hub: TaskHub) -> None:
    key = add_instance(hub, "i")
    cache = ExecutionCache(hub)
    execution = cache.load(key)
    assert execution is not None
    for n in range(2):
        added = event(EventType.TASK_SCHEDULED, AT, n, Name="A")
        cache.append(execution, encode(added), [added])
    cached, read = cache.load(key), ExecutionCache(hub).load(key)
    assert cached is execution
    assert read is not None
    assert (read.text, read.events, read.next_chunk) == (execution.text, execution.events, execution.next_chunk)


def test_the_least_recently_used_executions_are_dropped_first(hub: TaskHub) -> None:
    keys = [add_instance(hub, str(n)) for n in range(3)]
    for key in keys:
        hub.append_history(key, 0, encode(event(EventType.TASK_SCHEDULED, AT, 0, Name="A" * 100)))
    cache = ExecutionCache(hub, characters_max=500)
    first = cache.load(keys[0])
    cache.load(keys[1])
    assert cache.load(keys[0]) is first
    cache.load(keys[2])
    assert set(cache._cached) == {keys[0], keys[2]}
    cache.forget(keys[0])
    assert cache.load(keys[0]) is not first
    cache.forget_all()
    assert (cache._cached.currsize, len(cache._cached)) == (0, 0)
