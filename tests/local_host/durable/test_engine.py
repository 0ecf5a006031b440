"""Orchestrations run as they do in Azure: the patterns, and what clients may do to them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from local_host.durable.history import EventType
from local_host.durable.hub import ActivityCall, Filter
from local_host.errors import (
    BadInstanceId,
    InstanceExists,
    InstanceFinished,
    InstanceMissing,
    UnknownFunction,
)
from tests.engine_work import encode_input, ready, run
from tests.local_host.driving import Code, Rig


@contextmanager
def rigged(orchestrators: dict[str, Code] | Code, **activities: Any) -> Iterator[Rig]:
    codes = orchestrators if isinstance(orchestrators, dict) else {"main": orchestrators}
    rig = Rig(codes, activities)
    try:
        yield rig
    finally:
        rig.close()


def double(value: int) -> int:
    return value * 2


def fail(value: Any) -> Any:
    raise ValueError(f"no {value}")


def waits(context: Any) -> Any:
    told = yield context.wait_for_external_event("told")
    return told


def test_a_chain_passes_each_result_on() -> None:
    def main(context: Any) -> Any:
        value = context.get_input()
        for _ in range(3):
            value = yield context.call_activity("double", value)
        return value

    with rigged(main, double=double) as rig:
        rig.start("main", 5)
        rig.settle()
        assert rig.output() == 40
        assert rig.calls == [("double", 5), ("double", 10), ("double", 20)]
        assert rig.status().status == "Completed"


def test_fan_out_runs_all_and_fan_in_keeps_their_order() -> None:
    def main(context: Any) -> Any:
        results = yield context.task_all([context.call_activity("double", n) for n in range(20)])
        return results

    with rigged(main, double=double) as rig:
        rig.start("main")
        rig.episodes_only()
        calls = rig.engine.activity_calls(after=0, limit=100)
        assert [call.task_id for call in calls] == list(range(20))
        for call in reversed(calls):
            asyncio.run(run(rig.engine, call))
        rig.settle()
        assert rig.output() == [n * 2 for n in range(20)]


def approval(context: Any) -> Any:
    answer = context.wait_for_external_event("approved")
    deadline = context.create_timer(context.current_utc_datetime + timedelta(hours=72))
    winner = yield context.task_any([answer, deadline])
    if winner is deadline:
        return "escalated"
    deadline.cancel()
    granted = yield context.call_activity("double", 1)
    return [answer.result, granted]


def test_the_event_wins_over_the_timer_and_the_timer_goes() -> None:
    with rigged(approval, double=double) as rig:
        rig.start("main")
        rig.settle()
        assert rig.engine.next_due() == rig.clock.now() + timedelta(hours=72)
        rig.engine.raise_event("i", "APPROVED".lower(), '{"by":"ann"}')
        rig.settle()
        assert rig.output() == [{"by": "ann"}, 2]
        assert rig.engine.next_due() is None


def test_the_timer_wins_without_an_answer() -> None:
    with rigged(approval, double=double) as rig:
        started = rig.clock.now()
        rig.start("main")
        assert [due - started for due in rig.finish()] == [timedelta(hours=72)]
        assert rig.output() == "escalated"


def test_a_monitor_polls_until_the_end() -> None:
    def main(context: Any) -> Any:
        looks = 0
        while True:
            looks = yield context.call_activity("look", looks)
            if looks == 5:
                return looks
            yield context.create_timer(context.current_utc_datetime + timedelta(minutes=looks))

    with rigged(main, look=lambda n: n + 1) as rig:
        started = rig.clock.now()
        rig.start("main")
        dues = rig.finish()
        assert [(due - started) / timedelta(minutes=1) for due in dues] == [1, 3, 6, 10]
        assert rig.output() == 5


def parent(context: Any) -> Any:
    try:
        result = yield context.call_sub_orchestrator("child", {"n": 3}, "the-child")
    except Exception as failure:
        return f"caught {failure}"
    return result


def test_a_sub_orchestration_gets_its_input_and_gives_its_result() -> None:
    def child(context: Any) -> Any:
        n = context.get_input()["n"]
        doubled = yield context.call_activity("double", n)
        return {"doubled": doubled, "parent": context.parent_instance_id}

    with rigged({"parent": parent, "child": child}, double=double) as rig:
        rig.start("parent")
        rig.settle()
        assert rig.output() == {"doubled": 6, "parent": "i"}
        assert rig.status("the-child").status == "Completed"


def test_a_failing_sub_orchestration_fails_its_call_with_the_childs_text() -> None:
    def child(context: Any) -> Any:
        yield context.call_activity("fail", "luck")

    with rigged({"parent": parent, "child": child}, fail=fail) as rig:
        rig.start("parent")
        rig.settle()
        assert rig.status("the-child").status == "Failed"
        assert rig.output().startswith(
            "caught Orchestrator function 'child' failed: Activity function 'fail' failed: ValueError: no luck"
        )


def test_a_sub_orchestration_is_retried_as_its_policy_says() -> None:
    def main(context: Any) -> Any:
        result = yield context.call_sub_orchestrator_with_retry("child", df.RetryOptions(60_000, 3), None)
        return result

    def child(context: Any) -> Any:
        result = yield context.call_activity("flaky", None)
        return result

    tries = iter([True, True, False])

    def flaky(_: Any) -> str:
        if next(tries):
            raise RuntimeError("not yet")
        return "at last"

    with rigged({"main": main, "child": child}, flaky=flaky) as rig:
        started = rig.clock.now()
        rig.start("main")
        rig.finish()
        assert rig.output() == "at last"
        assert rig.clock.now() - started == timedelta(minutes=2)


def test_a_child_id_that_is_taken_fails_the_call() -> None:
    with rigged({"parent": parent, "child": waits}) as rig:
        rig.start("child", instance_id="the-child")
        rig.start("parent")
        rig.settle()
        assert "already exists" in rig.output()


def retrying(context: Any) -> Any:
    result = yield context.call_activity_with_retry("fail", df.RetryOptions(5_000, 3), "luck")
    return result


def test_an_activity_is_retried_with_pauses_and_fails_in_the_end() -> None:
    with rigged(retrying, fail=fail) as rig:
        started = rig.clock.now()
        rig.start("main")
        dues = rig.finish()
        assert [(due - started).total_seconds() for due in dues] == [5, 10]
        assert rig.calls == [("fail", "luck")] * 3
        assert rig.status().status == "Failed"
        scheduled = [pair for pair in rig.kinds() if pair[0] in (4, 10)]
        assert scheduled == [(4, 0), (10, 1), (4, 2), (10, 3), (4, 4), (10, 5)]


def test_continue_as_new_begins_a_fresh_history_with_the_new_input() -> None:
    def main(context: Any) -> Any:
        n = context.get_input()
        yield context.call_activity("double", n)
        if n < 3:
            context.continue_as_new(n + 1)
            return None
        return n

    with rigged(main, double=double) as rig:
        rig.start("main", 0)
        first = rig.status().execution_id
        rig.settle()
        assert rig.output() == 3
        assert [value for _, value in rig.calls] == [0, 1, 2, 3]
        assert rig.status().execution_id != first
        assert [kind for kind, _ in rig.kinds()] == [12, 0, 4, 13, 12, 5, 1, 13]


def test_unread_events_stay_when_the_instance_continues_as_new() -> None:
    def main(context: Any) -> Any:
        seen = context.get_input() or []
        value = yield context.wait_for_external_event("more")
        seen = [*seen, value]
        if len(seen) < 3:
            context.continue_as_new(seen)
            return None
        return seen

    with rigged(main) as rig:
        rig.start("main")
        for n in (1, 2, 3):
            rig.engine.raise_event("i", "more", str(n))
        rig.settle()
        assert rig.output() == [1, 2, 3]


def test_an_early_event_is_kept_until_the_wait() -> None:
    def main(context: Any) -> Any:
        yield context.call_activity("double", 1)
        told = yield context.wait_for_external_event("told")
        return told

    with rigged(main, double=double) as rig:
        rig.start("main")
        rig.engine.raise_event("i", "told", '"early"')
        rig.settle()
        assert rig.output() == "early"


def test_the_custom_status_is_the_last_that_was_set() -> None:
    def main(context: Any) -> Any:
        context.set_custom_status({"step": 1})
        yield context.wait_for_external_event("go")
        context.set_custom_status({"step": 2})
        yield context.wait_for_external_event("on")

    with rigged(main) as rig:
        rig.start("main")
        rig.settle()
        assert json.loads(rig.status().custom_status or "") == {"step": 1}
        rig.engine.raise_event("i", "go", "null")
        rig.settle()
        assert json.loads(rig.status().custom_status or "") == {"step": 2}


def test_a_suspended_instance_keeps_what_comes_until_it_is_resumed() -> None:
    with rigged(waits) as rig:
        rig.start("main")
        rig.settle()
        rig.engine.suspend("i", "lunch")
        rig.settle()
        assert rig.status().status == "Suspended"
        rig.engine.raise_event("i", "told", "1")
        rig.settle()
        assert rig.status().status == "Suspended"
        rig.engine.resume("i", "back")
        rig.settle()
        assert rig.output() == 1


def test_terminate_ends_at_once_and_the_late_result_is_dropped() -> None:
    def main(context: Any) -> Any:
        yield context.task_all([context.call_activity("double", 1), context.create_timer(_in_days(context, 1))])

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
        rig.engine.raise_event("a", "told", "1")
        rig.settle()
        assert rig.engine.purge("a") == 1
        assert rig.engine.purge("b") == 0
        assert rig.engine.purge("c") == 0
        assert rig.engine.status("a") is None
        assert rig.hub.db.execute("SELECT count(*) FROM history").fetchone()[0] == 1
        rig.engine.raise_event("b", "told", "1")
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
        rig.engine.raise_event("i", "told", "1")
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
            rig.engine.raise_event("i", "told", "1")
        rig.start("main")
        rig.engine.raise_event("i", "told", "1")
        rig.settle()
        with pytest.raises(InstanceFinished):
            rig.engine.raise_event("i", "told", "1")
        with pytest.raises(InstanceFinished):
            rig.engine.terminate("i", "")


@pytest.mark.parametrize("instance_id", ["@entity", "a/b", "a\\b", "a#b", "a?b", "a\nb", "x" * 101])
def test_ids_that_durable_functions_does_not_accept_are_rejected(instance_id: str) -> None:
    with rigged(waits) as rig, pytest.raises(BadInstanceId):
        rig.start("main", instance_id=instance_id)


def test_an_unknown_orchestrator_is_rejected_with_the_known_names() -> None:
    with rigged(waits) as rig, pytest.raises(UnknownFunction, match=r"doesn't exist.*orchestrator.*'main'"):
        rig.start("nain")


def test_an_unknown_activity_fails_the_instance_with_the_known_names() -> None:
    def main(context: Any) -> Any:
        yield context.call_activity("triple", 1)

    with rigged(main, double=double) as rig:
        rig.start("main")
        rig.settle()
        assert "The function 'triple' doesn't exist" in rig.output()
        assert "'double'" in rig.output()


def test_a_timer_of_twenty_days_fires_on_the_day() -> None:
    def main(context: Any) -> Any:
        yield context.create_timer(_in_days(context, 20))
        return context.current_utc_datetime.isoformat()

    with rigged(main) as rig:
        started = rig.clock.now()
        rig.start("main")
        dues = rig.finish()
        assert rig.output() == (started + timedelta(days=20)).isoformat()
        assert [(due - started).days for due in dues] == [3, 6, 9, 12, 15, 20]


def test_a_canceled_timer_uses_its_id_and_is_never_awaited() -> None:
    def main(context: Any) -> Any:
        timer = context.create_timer(_in_days(context, 5))
        event = context.wait_for_external_event("told")
        yield context.task_any([event, timer])
        timer.cancel()
        result = yield context.call_activity("double", 4)
        return result

    with rigged(main, double=double) as rig:
        rig.start("main")
        rig.engine.raise_event("i", "told", "1")
        rig.settle()
        assert rig.output() == 8
        kinds = rig.kinds()
        assert (EventType.TIMER_CREATED, 0) in kinds
        assert (4, 1) in kinds
        assert EventType.TIMER_FIRED not in [kind for kind, _ in kinds]


def test_a_timer_that_was_not_canceled_delays_the_end() -> None:
    def main(context: Any) -> Any:
        timer = context.create_timer(_in_days(context, 1))
        event = context.wait_for_external_event("told")
        yield context.task_any([event, timer])
        return "done"

    with rigged(main) as rig:
        rig.start("main")
        rig.engine.raise_event("i", "told", "1")
        rig.settle()
        assert rig.status().status == "Running"
        rig.finish()
        assert rig.output() == "done"


def test_changed_code_is_caught_and_named() -> None:
    def before(context: Any) -> Any:
        yield context.call_activity("double", 1)
        yield context.wait_for_external_event("told")

    def after(context: Any) -> Any:
        yield context.call_activity("fail", 1)
        yield context.wait_for_external_event("told")

    with rigged(before, double=double, fail=fail) as rig:
        rig.start("main", instance_id="job-7")
        rig.settle()
        rig.new_engine({"main": after})
        rig.engine.raise_event("job-7", "told", "1")
        rig.settle()
        assert rig.status("job-7").status == "Failed"
        text = rig.output("job-7")
        for part in ("job-7", "'main'", "id 0", "activity 'double'", "activity 'fail'"):
            assert part in text


def test_the_text_of_an_orchestrators_own_error_is_its_output() -> None:
    def main(context: Any) -> Any:
        yield context.call_activity("double", 1)
        raise LookupError("where is it")

    with rigged(main, double=double) as rig:
        rig.start("main")
        rig.settle()
        assert rig.status().status == "Failed"
        assert rig.output() == "Orchestrator function 'main' failed: where is it"


def test_an_activity_failure_carries_kind_text_and_stack() -> None:
    def main(context: Any) -> Any:
        try:
            yield context.call_activity("fail", "luck")
        except Exception as failure:
            return str(failure)

    with rigged(main, fail=fail) as rig:
        rig.start("main")
        rig.settle()
        reason, details = rig.output().split(" \n ", 1)
        assert reason == "Activity function 'fail' failed: ValueError: no luck"
        assert "Result: Failure\nException: ValueError: no luck\nStack:" in details
        assert "raise ValueError" in details


def test_an_output_that_is_not_json_fails_the_instance() -> None:
    def main(context: Any) -> Any:
        return {1, 2}

    with rigged(main) as rig:
        rig.start("main")
        rig.settle()
        assert rig.status().status == "Failed"
        assert "set" in rig.output()


@pytest.mark.parametrize(
    ("code", "named"),
    [
        (lambda context: (yield context.call_http("GET", "http://x")), "call_http"),
        (lambda context: (yield context.call_entity(df.EntityId("Counter", "a"), "add", 1)), "call_entity"),
    ],
)
def test_an_unsupported_feature_is_named_and_fails_the_instance(code: Code, named: str) -> None:
    with rigged(code) as rig:
        rig.start("main")
        rig.settle()
        assert rig.status().status == "Failed"
        assert f"{named} " in rig.output()
        assert "not supported by the local host" in rig.output()


def test_a_completion_that_is_lost_runs_the_activity_again() -> None:
    def main(context: Any) -> Any:
        result = yield context.call_activity("double", 21)
        return result

    with rigged(main, double=double) as rig:
        rig.start("main")
        rig.episodes_only()
        [call] = ready(rig.engine)
        assert isinstance(call, ActivityCall)
        asyncio.run(rig.engine.execute(call))
        rig.new_engine({"main": main})
        assert ready(rig.engine) == [call]
        rig.settle()
        assert rig.output() == 42
        assert rig.calls == [("double", 21)] * 2


def test_the_second_completion_of_a_call_changes_nothing() -> None:
    def main(context: Any) -> Any:
        first = yield context.call_activity("double", 1)
        second = yield context.wait_for_external_event("told")
        return [first, second]

    with rigged(main, double=double) as rig:
        rig.start("main")
        rig.episodes_only()
        [call] = rig.engine.activity_calls(after=0, limit=9)
        completion = asyncio.run(rig.engine.execute(call))
        assert rig.engine.commit(completion) is True
        assert rig.engine.commit(completion) is False
        rig.settle()
        assert [kind for kind, _ in rig.kinds()].count(5) == 1


def test_a_batch_that_fails_leaves_nothing_behind() -> None:
    with rigged(waits) as rig:
        rig.start("main")
        rig.settle()
        before = rig.kinds()
        rig.engine.raise_event("i", "told", "1")

        def work() -> None:
            with rig.engine.batch():
                rig.engine.step(rig.engine.episodes(limit=1)[0])
                raise RuntimeError("crash")

        with pytest.raises(RuntimeError, match="crash"):
            work()
        assert (rig.kinds(), rig.status().status) == (before, "Running")
        rig.settle()
        assert rig.output() == 1


def test_every_step_may_be_the_last_before_a_restart() -> None:
    def main(context: Any) -> Any:
        first = yield context.call_activity("double", 1)
        yield context.create_timer(context.current_utc_datetime + timedelta(minutes=1))
        both = yield context.task_all([context.call_activity("double", first), context.call_activity("double", 5)])
        return both

    with rigged(main, double=double) as rig:
        rig.start("main")
        while rig.status().status in ("Pending", "Running"):
            items = ready(rig.new_engine({"main": main}))
            if items:
                asyncio.run(run(rig.engine, items[-1]))
            else:
                due = rig.engine.next_due()
                assert due is not None
                rig.clock.advance_to(due)
        assert rig.output() == [4, 10]
        assert len(rig.calls) == 3


def test_input_posted_as_an_object_reaches_the_code_as_an_object() -> None:
    def main(context: Any) -> Any:
        return context.get_input()["a"]

    with rigged(main) as rig:
        rig.engine.start("main", instance_id="raw", input_text='{"a": 1}')
        rig.engine.start("main", instance_id="sdk", input_text=encode_input({"a": 1}))
        rig.settle()
        assert rig.output("raw") == rig.output("sdk") == 1


def _in_days(context: Any, days: int) -> Any:
    return context.current_utc_datetime + timedelta(days=days)
