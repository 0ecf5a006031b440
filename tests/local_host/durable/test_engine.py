"""Orchestrations run as they do in Azure: the patterns of Durable Functions."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from local_host.durable.history import EventType
from tests.engine_work import encode_input, run
from tests.local_host.durable.codes import double, fail, in_days, rigged, waits


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
        answered = yield context.wait_for_external_event("answered")
        return answered

    with rigged(main, double=double) as rig:
        rig.start("main")
        rig.engine.raise_event("i", "answered", '"early"')
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


def test_a_timer_of_twenty_days_fires_on_the_day() -> None:
    def main(context: Any) -> Any:
        yield context.create_timer(in_days(context, 20))
        return context.current_utc_datetime.isoformat()

    with rigged(main) as rig:
        started = rig.clock.now()
        rig.start("main")
        dues = rig.finish()
        assert rig.output() == (started + timedelta(days=20)).isoformat()
        assert [(due - started).days for due in dues] == [3, 6, 9, 12, 15, 20]


def test_a_canceled_timer_uses_its_id_and_is_never_awaited() -> None:
    def main(context: Any) -> Any:
        timer = context.create_timer(in_days(context, 5))
        event = context.wait_for_external_event("answered")
        yield context.task_any([event, timer])
        timer.cancel()
        result = yield context.call_activity("double", 4)
        return result

    with rigged(main, double=double) as rig:
        rig.start("main")
        rig.engine.raise_event("i", "answered", "1")
        rig.settle()
        assert rig.output() == 8
        kinds = rig.kinds()
        assert (EventType.TIMER_CREATED, 0) in kinds
        assert (4, 1) in kinds
        assert EventType.TIMER_FIRED not in [kind for kind, _ in kinds]


def test_a_timer_that_was_not_canceled_delays_the_end() -> None:
    def main(context: Any) -> Any:
        timer = context.create_timer(in_days(context, 1))
        event = context.wait_for_external_event("answered")
        yield context.task_any([event, timer])
        return "done"

    with rigged(main) as rig:
        rig.start("main")
        rig.engine.raise_event("i", "answered", "1")
        rig.settle()
        assert rig.status().status == "Running"
        rig.finish()
        assert rig.output() == "done"


def test_input_posted_as_an_object_reaches_the_code_as_an_object() -> None:
    def main(context: Any) -> Any:
        return context.get_input()["a"]

    with rigged(main) as rig:
        rig.engine.start("main", instance_id="raw", input_text='{"a": 1}')
        rig.engine.start("main", instance_id="sdk", input_text=encode_input({"a": 1}))
        rig.settle()
        assert rig.output("raw") == rig.output("sdk") == 1
