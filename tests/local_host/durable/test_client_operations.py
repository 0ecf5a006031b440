"""The operations of clients on an instance: suspend, terminate, purge, restart, rewind, replace."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local_host.durable.hub import Filter
from local_host.errors import (
    BadInstanceId,
    InstanceExists,
    InstanceFinished,
    InstanceMissing,
    UnknownFunction,
)
from tests.engine_work import ready
from tests.local_host.durable.codes import double, in_days, rigged, waits


def test_a_suspended_instance_keeps_what_comes_until_it_is_resumed() -> None:
    with rigged(waits) as rig:
        rig.start("main")
        rig.settle()
        rig.engine.suspend("i", "lunch")
        rig.settle()
        assert rig.status().status == "Suspended"
        rig.engine.raise_event("i", "answered", "1")
        rig.settle()
        assert rig.status().status == "Suspended"
        rig.engine.resume("i", "back")
        rig.settle()
        assert rig.output() == 1


def test_terminate_ends_at_once_and_the_late_result_is_dropped() -> None:
    def main(context: Any) -> Any:
        yield context.task_all([context.call_activity("double", 1), context.create_timer(in_days(context, 1))])

    with rigged(main, double=double) as rig:
        rig.start("main")
        rig.episodes_only()
        rig.engine.terminate("i", "enough")
        rig.settle()
        assert (rig.status().status, rig.output()) == ("Terminated", "enough")
        assert rig.engine.next_due() is None
        assert ready(rig.engine) == []


def test_a_finished_instance_is_purged_with_its_history_and_a_running_one_is_not() -> None:
    with rigged(waits) as rig:
        rig.start("main", instance_id="a")
        rig.start("main", instance_id="b")
        rig.engine.raise_event("a", "answered", "1")
        rig.settle()
        assert rig.engine.purge("a") == 1
        assert rig.engine.purge("b") == 0
        assert rig.engine.purge("c") == 0
        assert rig.engine.status("a") is None
        assert rig.hub.db.execute("SELECT count(*) FROM history").fetchone()[0] == 1
        rig.engine.raise_event("b", "answered", "1")
        rig.settle()
        assert rig.engine.purge_all(Filter(statuses=("Failed",))) == 0
        assert rig.engine.purge_all(Filter()) == 1


def test_restart_runs_the_same_input_again_under_the_same_or_a_new_id() -> None:
    def main(context: Any) -> Any:
        return context.get_input()

    with rigged(main) as rig:
        rig.start("main", {"a": 1})
        rig.settle()
        again = rig.engine.restart("i", new_id=True)
        same = rig.engine.restart("i", new_id=False)
        assert (again != "i", same) == (True, "i")
        rig.settle()
        assert rig.output(again) == rig.output("i") == {"a": 1}
        with pytest.raises(InstanceMissing):
            rig.engine.restart("nobody", new_id=True)


def test_rewind_runs_what_failed_last_again_and_nothing_else() -> None:
    broken = [True]

    def sometimes(value: int) -> int:
        if broken[0] and value == 2:
            raise RuntimeError("down")
        return value

    def main(context: Any) -> Any:
        first = yield context.call_activity("sometimes", 1)
        second = yield context.call_activity("sometimes", 2)
        return [first, second]

    with rigged(main, sometimes=sometimes) as rig:
        rig.start("main")
        rig.settle()
        assert rig.status().status == "Failed"
        broken[0] = False
        rig.engine.rewind("i", "mended")
        rig.settle()
        assert rig.output() == [1, 2]
        assert rig.calls == [("sometimes", 1), ("sometimes", 2), ("sometimes", 2)]
        with pytest.raises(InstanceFinished):
            rig.engine.rewind("i", "again")


def test_an_id_that_runs_is_refused_and_one_that_is_finished_is_replaced() -> None:
    with rigged(waits) as rig:
        rig.start("main")
        with pytest.raises(InstanceExists, match="with the status Pending already exists"):
            rig.start("main")
        rig.settle()
        with pytest.raises(InstanceExists, match="with the status Running already exists"):
            rig.start("main")
        rig.engine.raise_event("i", "answered", "1")
        rig.settle()
        rig.start("main")
        rig.settle()
        assert rig.status().status == "Running"
        assert len(rig.kinds()) == 3


def test_results_for_an_instance_that_was_replaced_are_dropped() -> None:
    def main(context: Any) -> Any:
        result = yield context.call_activity("double", context.get_input())
        return result

    with rigged(main, double=double) as rig:
        rig.start("main", 1)
        rig.episodes_only()
        [old_call] = rig.engine.activity_calls(after=0, limit=9)
        old = asyncio.run(rig.engine.execute(old_call))
        rig.engine.terminate("i", "")
        rig.episodes_only()
        rig.start("main", 50)
        rig.engine.commit(old)
        rig.settle()
        assert rig.output() == 100


def test_events_for_missing_and_for_finished_instances_are_distinguished() -> None:
    with rigged(waits) as rig:
        with pytest.raises(InstanceMissing):
            rig.engine.raise_event("i", "answered", "1")
        rig.start("main")
        rig.engine.raise_event("i", "answered", "1")
        rig.settle()
        with pytest.raises(InstanceFinished):
            rig.engine.raise_event("i", "answered", "1")
        with pytest.raises(InstanceFinished):
            rig.engine.terminate("i", "")


@pytest.mark.parametrize("instance_id", ["@entity", "a/b", "a\\b", "a#b", "a?b", "a\nb", "x" * 101])
def test_ids_that_durable_functions_does_not_accept_are_rejected(instance_id: str) -> None:
    with rigged(waits) as rig, pytest.raises(BadInstanceId):
        rig.start("main", instance_id=instance_id)


def test_an_unknown_orchestrator_is_rejected_with_the_known_names() -> None:
    with rigged(waits) as rig, pytest.raises(UnknownFunction, match=r"doesn't exist.*orchestrator.*'main'"):
        rig.start("nain")
