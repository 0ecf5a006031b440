"""Episodes that fail: the output of the instance names the cause and the fix."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import Any

from local_host.durable.orchestrator_call import Orchestrator
from tests.local_host.driving import Code, Rig


def waits(context: Any) -> Any:
    yield context.wait_for_external_event("go")
    yield context.call_activity("known", 1)


def failure_after(code: Code, *, name: str = "main") -> str:
    """Start with code that waits, continue with other code, and return the output of the failed instance."""
    with closing(Rig({"main": waits}, {"known": lambda value: value})) as rig:
        rig.start("main")
        rig.settle()
        rig.new_engine({name: code})
        rig.engine.raise_event("i", "go", "1")
        rig.settle()
        assert rig.status().status == "Failed"
        output: str = rig.output()
        return output


def test_a_missing_orchestrator_is_named_with_the_known_ones() -> None:
    assert failure_after(waits, name="other") == (
        "Orchestrator function 'main' failed: this app has no orchestrator with that name (it has 'other')"
    )


def test_an_unknown_activity_is_named_with_the_known_ones() -> None:
    def code(context: Any) -> Any:
        yield context.wait_for_external_event("go")
        yield context.call_activity("unknown", 1)

    output = failure_after(code)
    assert "The function 'unknown' doesn't exist, is disabled, or is not an activity function." in output
    assert output.endswith("The following are the known activity functions: 'known'.")


def test_an_unknown_sub_orchestration_is_named_too() -> None:
    def code(context: Any) -> Any:
        yield context.wait_for_external_event("go")
        yield context.call_sub_orchestrator("unknown")

    assert failure_after(code).endswith("The following are the known orchestrator functions: 'main'.")


def test_an_unsupported_action_is_named() -> None:
    def code(context: Any) -> Any:
        yield context.wait_for_external_event("go")
        yield context.call_http("GET", "http://127.0.0.1/")

    assert failure_after(code).endswith("call_http (durable HTTP) is not supported by the local host")


def test_code_that_changed_under_a_running_instance_names_the_difference_and_the_fix() -> None:
    def before(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))

    def after(context: Any) -> Any:
        yield context.call_activity("known", 1)

    with closing(Rig({"main": before}, {"known": lambda value: value})) as rig:
        rig.start("main")
        rig.settle()
        rig.new_engine({"main": after})
        rig.finish()
        assert rig.output() == (
            "Orchestrator function 'main' failed: Non-deterministic orchestration: instance 'i' of orchestrator "
            "'main', task id 0: the history records a timer, but the code now requests activity 'known'. The code "
            "changed while the instance was running, or its replays differ. Restore the code and rewind the instance, "
            "or start a new one."
        )
        rig.new_engine({"main": before})
        rig.engine.rewind("i", "the code is restored")
        rig.finish()
        assert rig.status().status == "Completed"


def test_an_error_outside_the_code_fails_the_instance() -> None:
    def broken(_: str) -> str:
        raise TypeError("not an orchestrator")

    with closing(Rig({"main": waits})) as rig:
        orchestrators: dict[str, Orchestrator] = {"main": broken}
        rig.engine._episodes._orchestrators = orchestrators
        rig.start("main")
        rig.settle()
        assert rig.output() == "Orchestrator function 'main' failed: TypeError: not an orchestrator"
