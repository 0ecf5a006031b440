"""The result of one call of the SDK, even if the code raises."""

from __future__ import annotations

from typing import Any

from azure.durable_functions.orchestrator import Orchestrator

from local_host.durable import sdk
from local_host.durable.history import EventType, encode, event
from local_host.durable.orchestrator_call import OrchestratorResult, call_orchestrator

AT = "2026-01-01T00:00:00.000000Z"
START = [
    event(EventType.ORCHESTRATOR_STARTED, AT),
    event(EventType.EXECUTION_STARTED, AT, Name="main", Version="", Input=None),
]


def result_of(orchestrator: Any, input_text: str | None = None) -> OrchestratorResult:
    sdk.prepare()
    return call_orchestrator(
        orchestrator,
        history=",".join(map(encode, START)),
        input_text=input_text,
        instance_id="i",
        parent_instance_id="p",
    )


def test_a_finished_orchestrator_has_its_output_and_custom_status() -> None:
    def main(context: Any) -> Any:
        context.set_custom_status({"step": 1})
        yield context.task_all([])
        return [context.get_input(), context.instance_id, context.parent_instance_id]

    result = result_of(Orchestrator.create(main), '"7"')
    assert result == OrchestratorResult(actions=[], is_done=True, output=[7, "i", "p"], custom_status={"step": 1})


def test_an_orchestrator_that_raises_keeps_the_actions_before_the_error() -> None:
    def main(context: Any) -> Any:
        context.call_activity("A", 1)
        yield context.task_all([])
        raise ValueError("on purpose")

    result = result_of(Orchestrator.create(main))
    assert (result.error, result.sdk_error, result.is_done) == ("on purpose", None, False)


def test_any_other_exception_is_an_error_of_the_sdk() -> None:
    def broken(_: str) -> str:
        raise TypeError("not an orchestrator")

    assert result_of(broken) == OrchestratorResult(
        actions=[], is_done=False, sdk_error="TypeError: not an orchestrator"
    )
