"""Failures of code, of activities and of the host: what an instance shows, and what runs again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from local_host.durable.hub import ActivityCall
from tests.engine_work import ready, run
from tests.local_host.driving import Code
from tests.local_host.durable.codes import double, fail, rigged, waits


def test_an_unknown_activity_fails_the_instance_with_the_known_names() -> None:
    def main(context: Any) -> Any:
        yield context.call_activity("triple", 1)

    with rigged(main, double=double) as rig:
        rig.start("main")
        rig.settle()
        assert "The function 'triple' doesn't exist" in rig.output()
        assert "'double'" in rig.output()


def test_changed_code_is_caught_and_named() -> None:
    def before(context: Any) -> Any:
        yield context.call_activity("double", 1)
        yield context.wait_for_external_event("answered")

    def after(context: Any) -> Any:
        yield context.call_activity("fail", 1)
        yield context.wait_for_external_event("answered")

    with rigged(before, double=double, fail=fail) as rig:
        rig.start("main", instance_id="job-7")
        rig.settle()
        rig.new_engine({"main": after})
        rig.engine.raise_event("job-7", "answered", "1")
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
        second = yield context.wait_for_external_event("answered")
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
        rig.engine.raise_event("i", "answered", "1")

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
