"""What do clients see of an instance? The JSON bodies of the management API.

Source: Azure/azure-functions-durable-extension; DurableClient.cs and HttpApiHandler.cs of the durable extension.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from local_host.durable.history import (
    EXECUTION_COMPLETED,
    EXECUTION_STARTED,
    ORCHESTRATOR_COMPLETED,
    ORCHESTRATOR_STARTED,
    SUB_ORCHESTRATION_COMPLETED,
    SUB_ORCHESTRATION_CREATED,
    SUB_ORCHESTRATION_FAILED,
    TASK_COMPLETED,
    TASK_FAILED,
    TASK_SCHEDULED,
    TIMER_CREATED,
    TIMER_FIRED,
    TYPE_NAMES,
    Event,
    from_micros,
)
from local_host.durable.hub import Instance


def status_body(instance: Instance, *, show_input: bool) -> dict[str, Any]:
    """Describe an instance. Shapes: `input`, `customStatus` and `output` are the stored JSON values or `None`."""
    return {
        "name": instance.name,
        "instanceId": instance.instance_id,
        "runtimeStatus": instance.status,
        "input": _value(instance.input) if show_input else None,
        "customStatus": _value(instance.custom_status),
        "output": _value(instance.output),
        "createdTime": _seconds(instance.created_at),
        "lastUpdatedTime": _seconds(instance.updated_at),
    }


def history_body(history: Sequence[Event], *, show_output: bool, show_input: bool) -> list[dict[str, Any]]:
    """Describe a history for people: omit episode marks, and merge scheduled tasks into their completions."""
    scheduled = {event["EventId"]: event for event in history if event["EventType"] in _MERGED}
    completed = {event[_COMPLETES[event["EventType"]]] for event in history if event["EventType"] in _COMPLETES}
    rows = []
    for event in history:
        kind = event["EventType"]
        if kind in (ORCHESTRATOR_STARTED, ORCHESTRATOR_COMPLETED):
            continue
        if kind in _MERGED and event["EventId"] in completed:
            continue
        rows.append(_row(event, scheduled, show_output=show_output, show_input=show_input))
    return rows


def links_body(instance_id: str, *, base: str, query: str) -> dict[str, str]:
    """Return the management URLs of an instance; clients replace `{eventName}` and `{text}`."""
    at = f"{base}/instances/{instance_id}"
    return {
        "id": instance_id,
        "statusQueryGetUri": f"{at}?{query}",
        "sendEventPostUri": f"{at}/raiseEvent/{{eventName}}?{query}",
        "terminatePostUri": f"{at}/terminate?reason={{text}}&{query}",
        "rewindPostUri": f"{at}/rewind?reason={{text}}&{query}",
        "purgeHistoryDeleteUri": f"{at}?{query}",
        "restartPostUri": f"{at}/restart?{query}",
        "suspendPostUri": f"{at}/suspend?reason={{text}}&{query}",
        "resumePostUri": f"{at}/resume?reason={{text}}&{query}",
    }


_MERGED = frozenset({TASK_SCHEDULED, SUB_ORCHESTRATION_CREATED, TIMER_CREATED})
_COMPLETES = {
    TASK_COMPLETED: "TaskScheduledId",
    TASK_FAILED: "TaskScheduledId",
    SUB_ORCHESTRATION_COMPLETED: "TaskScheduledId",
    SUB_ORCHESTRATION_FAILED: "TaskScheduledId",
    TIMER_FIRED: "TimerId",
}
_HIDDEN = frozenset({"EventId", "IsPlayed", "Version", "TaskScheduledId", "TimerId"})


def _row(event: Event, scheduled: dict[int, Event], *, show_output: bool, show_input: bool) -> dict[str, Any]:
    kind = event["EventType"]
    row = {key: value for key, value in event.items() if key not in _HIDDEN}
    row["EventType"] = TYPE_NAMES[kind]
    if kind in _COMPLETES:
        before = scheduled.get(event[_COMPLETES[kind]])
        if before is not None:
            row["ScheduledTime"] = before["Timestamp"]
            if "Name" in before:
                row["FunctionName"] = before["Name"]
            if show_input and before.get("Input") is not None:
                row["Input"] = _value(before["Input"])
    if kind == EXECUTION_STARTED:
        row["FunctionName"] = row.pop("Name")
        for key in ("OrchestrationInstance", "ParentInstance", "Tags"):
            row.pop(key, None)
    if not show_input:
        row.pop("Input", None)
    elif kind == EXECUTION_STARTED:
        row["Input"] = _value(row.get("Input"))
    if kind in (TASK_COMPLETED, SUB_ORCHESTRATION_COMPLETED, EXECUTION_COMPLETED) and "Result" in row:
        result = row.pop("Result")
        if show_output:
            row["Result"] = _value(result)
    return row


def _value(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _seconds(micros: int) -> str:
    return from_micros(micros).strftime("%Y-%m-%dT%H:%M:%SZ")
