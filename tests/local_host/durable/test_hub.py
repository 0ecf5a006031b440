"""The task hub keeps everything of a transaction or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_host.durable.hub import COMPLETED, RUNNING, Filter, Instance, TaskHub


@pytest.fixture
def hub() -> Iterator[TaskHub]:
    hub = TaskHub()
    yield hub
    hub.close()


def new(instance_id: str, *, status: str = RUNNING, created_at: int = 0) -> Instance:
    return Instance(
        0, instance_id, "e", "main", "", status, None, None, None, created_at, created_at, None, None, None, None, 0
    )


def test_a_transaction_that_raises_changes_nothing_not_even_its_inner_ones(hub: TaskHub) -> None:
    def fail() -> None:
        with hub.transaction():
            key = hub.add_instance(new("i"))
            with hub.transaction():
                hub.send(key, "{}")
            assert hub.is_changing
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    assert not hub.is_changing
    assert (hub.instance("i"), hub.keys_with_messages(9)) == (None, [])


def test_a_key_is_never_reused(hub: TaskHub) -> None:
    first = hub.add_instance(new("i"))
    hub.delete_instance(first)
    assert hub.add_instance(new("i")) > first


def test_deleting_an_instance_takes_its_messages_history_and_timers_but_not_its_activities(hub: TaskHub) -> None:
    key, other = hub.add_instance(new("i")), hub.add_instance(new("j"))
    for each in (key, other):
        hub.send(each, "{}")
        hub.append_history(each, 0, "{}")
        hub.add_timer(each, 0, 5)
        hub.add_activity(each, 1, "A", None)
    hub.delete_instance(key)
    assert hub.keys_with_messages(9) == [other]
    assert hub.history(key) == ([], 0)
    assert [timer.instance_id for timer in hub.due_timers(5, 9)] == ["j"]
    assert [call.instance_id for call in hub.activities(after=0, limit=9)] == [None, "j"]


def test_timers_are_due_in_order_and_taken_once(hub: TaskHub) -> None:
    key = hub.add_instance(new("i"))
    for task_id, fire_at in ((0, 30), (1, 10), (2, 20)):
        hub.add_timer(key, task_id, fire_at)
    assert hub.next_timer() == 10
    due = hub.due_timers(20, 9)
    assert [timer.fire_at for timer in due] == [10, 20]
    assert hub.take_timer(due[0].slot) == (key, 1)
    assert hub.take_timer(due[0].slot) is None


def test_a_timer_without_an_instance_is_neither_due_nor_awaited(hub: TaskHub) -> None:
    hub.add_timer(99, 0, 10)
    assert (hub.due_timers(10, 9), hub.next_timer()) == ([], None)


def test_a_filter_includes_both_ends_and_takes_a_prefix_literally(hub: TaskHub) -> None:
    for n, instance_id in enumerate(("a%1", "a%2", "ab3")):
        hub.add_instance(new(instance_id, status=COMPLETED if n else RUNNING, created_at=n))

    def chosen(**fields: object) -> list[str]:
        return [each.instance_id for each in hub.instances(Filter(**fields), after=0, limit=9)]  # type: ignore[arg-type]

    assert chosen(created_from=1, created_to=2) == ["a%2", "ab3"]
    assert chosen(statuses=(COMPLETED,), id_prefix="a%") == ["a%2"]


def test_a_reopened_file_continues_its_numbers(tmp_path: Path) -> None:
    hub = TaskHub(tmp_path / "hub.db")
    key = hub.add_instance(new("i"))
    hub.add_activity(key, 0, "A", None)
    hub.send(key, "1")
    hub.close()
    hub = TaskHub(tmp_path / "hub.db")
    hub.add_activity(key, 1, "A", None)
    hub.send(key, "2")
    assert [call.number for call in hub.activities(after=0, limit=9)] == [1, 2]
    assert hub.messages(key) == [(1, "1"), (2, "2")]
    hub.close()
