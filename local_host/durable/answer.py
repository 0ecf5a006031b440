"""What does the orchestrator's code want, given this history?

One call of the SDK: the history goes in as JSON text, and the answer is the cumulative list of actions since the start
of the generation. An orchestrator that raises answers too: the SDK puts its state behind a label in the text of the
exception. Nothing is stored and nothing is decided here.

Source: Azure/azure-functions-durable-extension.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Orchestrator = Callable[[str], str]
"""What `azure.durable_functions` makes of an orchestrator function: JSON text in, JSON text out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the SDK said.

    Shapes: `actions` in yield order, each a dict with `actionType`. `output` is any JSON value, `None` when absent.
    `custom_status` is `None` when nothing (or something falsy) was set. `error` is the text of what the orchestrator
    raised; `broken` is the text of an error of the SDK or the code's shape, in which case there are no actions.
    """

    actions: list[dict[str, Any]]
    is_done: bool
    output: Any = None
    custom_status: Any = None
    error: str | None = None
    broken: str | None = None


def ask(
    orchestrator: Orchestrator,
    *,
    history: str,
    input_text: str | None,
    instance_id: str,
    parent_instance_id: str | None,
) -> Answer:
    """Run the orchestrator's code over its history.

    Shapes: `history` is JSON events joined by commas, ending with the new events of this episode. `input_text` is the
    JSON text of the stored input, `None` for none.
    """
    parent = "null" if parent_instance_id is None else json.dumps(parent_instance_id)
    body = (
        f'{{"history":[{history}],"input":{input_text or "null"},"instanceId":{json.dumps(instance_id)},'
        f'"isReplaying":false,"parentInstanceId":{parent},{_SETTINGS}}}'
    )
    try:
        text = orchestrator(body)
    except Exception as raised:
        return _failed(raised)
    state = json.loads(text)
    return _answer(state)


_ERROR_LABEL = "\n\n$OutOfProcData$:"

# Timers beyond six days are cut into stretches of three by the SDK, which is told so by the host.
_SETTINGS = (
    '"upperSchemaVersion":1,"upperSchemaVersionNew":2,"longRunningTimerIntervalDuration":"3.00:00:00",'
    '"maximumShortTimerDuration":"6.00:00:00","defaultHttpAsyncRequestSleepTimeMillseconds":30000'
)


def _answer(state: dict[str, Any]) -> Answer:
    actions = state["actions"]
    return Answer(
        actions=actions[0] if actions else [],
        is_done=state["isDone"],
        output=state.get("output"),
        custom_status=state.get("customStatus"),
        error=state.get("error"),
    )


def _failed(raised: Exception) -> Answer:
    text = str(raised)
    label = text.rfind(_ERROR_LABEL)
    if label < 0:
        return Answer(actions=[], is_done=False, broken=f"{type(raised).__name__}: {text}")
    return _answer(json.loads(text[label + len(_ERROR_LABEL) :]))
