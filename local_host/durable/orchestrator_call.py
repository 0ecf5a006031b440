"""What does the orchestrator's code do, given this history?

One call of the SDK: the history goes in as JSON text, and the result lists all actions since the execution started. An
orchestrator that raises has a result too, because the SDK puts its state behind a label in the exception's text. This
module stores nothing and decides nothing.

Source: Azure/azure-functions-durable-extension.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Orchestrator = Callable[[str], str]
"""An orchestrator function as wrapped by `azure.durable_functions`: JSON text in, JSON text out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OrchestratorResult:
    """The answer of the SDK.

    Shapes: `actions` are in yield order, each a dict with `actionType`. `output` is any JSON value, `None` if absent.
    `custom_status` is `None` if the code set nothing, or something falsy. `error` is the text of an exception that the
    orchestrator raised. `sdk_error` is the text of any other exception, for example because the code is not an
    orchestrator; `actions` is then empty.
    """

    actions: list[dict[str, Any]]
    is_done: bool
    output: Any = None
    custom_status: Any = None
    error: str | None = None
    sdk_error: str | None = None


def call_orchestrator(
    orchestrator: Orchestrator,
    *,
    history: str,
    input_text: str | None,
    instance_id: str,
    parent_instance_id: str | None,
) -> OrchestratorResult:
    """Replay the orchestrator's code over its history.

    Shapes: `history` is JSON events joined by commas, with the new events of this episode at the end. `input_text` is
    the JSON text of the stored input, `None` for no input.
    """
    parent = "null" if parent_instance_id is None else json.dumps(parent_instance_id)
    body = (
        f'{{"history":[{history}],"input":{input_text or "null"},"instanceId":{json.dumps(instance_id)},'
        f'"isReplaying":false,"parentInstanceId":{parent},{_SETTINGS}}}'
    )
    try:
        text = orchestrator(body)
    except Exception as error:
        return _result_of_error(error)
    return _result(json.loads(text))


_ERROR_LABEL = "\n\n$OutOfProcData$:"

# The host has the SDK split timers longer than six days into three-day stretches.
_SETTINGS = (
    '"upperSchemaVersion":1,"upperSchemaVersionNew":2,"longRunningTimerIntervalDuration":"3.00:00:00",'
    '"maximumShortTimerDuration":"6.00:00:00","defaultHttpAsyncRequestSleepTimeMillseconds":30000'
)


def _result(state: dict[str, Any]) -> OrchestratorResult:
    actions = state["actions"]
    return OrchestratorResult(
        actions=actions[0] if actions else [],
        is_done=state["isDone"],
        output=state.get("output"),
        custom_status=state.get("customStatus"),
        error=state.get("error"),
    )


def _result_of_error(error: Exception) -> OrchestratorResult:
    text = str(error)
    label = text.rfind(_ERROR_LABEL)
    if label < 0:
        return OrchestratorResult(actions=[], is_done=False, sdk_error=f"{type(error).__name__}: {text}")
    return _result(json.loads(text[label + len(_ERROR_LABEL) :]))
