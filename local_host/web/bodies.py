"""What do clients see of an instance? The JSON bodies of the management API.

Source: Azure/azure-functions-durable-extension; DurableClient.cs and HttpApiHandler.cs of the durable extension.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from local_host.durable.history import COMPLETING, SCHEDULING, Event, EventType, from_micros, type_name
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
    scheduled = {event["EventId"]: event for event in history if event["EventType"] in SCHEDULING}
    completed = {event[COMPLETING[event["EventType"]]] for event in history if event["EventType"] in COMPLETING}
    return [
        _row(event, scheduled, show_output=show_output, show_input=show_input)
        for event in history
        if event["EventType"] not in _MARKS and not (event["EventType"] in SCHEDULING and event["EventId"] in completed)
    ]


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


_MARKS = frozenset({EventType.ORCHESTRATOR_STARTED, EventType.ORCHESTRATOR_COMPLETED})
_HIDDEN = frozenset(
    {"EventId", "IsPlayed", "Version", "TaskScheduledId", "TimerId", "OrchestrationInstance", "ParentInstance", "Tags"}
)


def _row(event: Event, scheduled: dict[int, Event], *, show_output: bool, show_input: bool) -> dict[str, Any]:
    kind = event["EventType"]
    row = {key: value for key, value in event.items() if key not in _HIDDEN}
    row["EventType"] = type_name(kind)
    if kind == EventType.EXECUTION_STARTED:
        row["FunctionName"] = row.pop("Name")
        row["Input"] = _value(row["Input"])
    before = scheduled.get(event[COMPLETING[kind]]) if kind in COMPLETING else None
    if before is not None:
        row["ScheduledTime"] = before["Timestamp"]
        if "Name" in before:
            row["FunctionName"] = before["Name"]
        if before.get("Input") is not None:
            row["Input"] = _value(before["Input"])
    if "Result" in row:
        row["Result"] = _value(row["Result"])
    is_shown = {"Input": show_input, "Result": show_output}
    return {key: value for key, value in row.items() if is_shown.get(key, True)}


def _value(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _seconds(micros: int) -> str:
    return from_micros(micros).strftime("%Y-%m-%dT%H:%M:%SZ")
