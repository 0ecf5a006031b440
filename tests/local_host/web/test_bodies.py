"""How instances and histories are described."""

from __future__ import annotations

from local_host.durable.history import EventType, event
from local_host.durable.hub import Instance
from local_host.web.bodies import history_body, status_body

AT = "2026-01-01T00:00:00.000000Z"


def test_a_status_has_decoded_values_and_whole_seconds() -> None:
    instance = Instance(
        1, "i", "e", "main", "", "Completed", '{"a": 1}', "[2]", None, 1_999_999, 0, None, None, None, None, 0
    )
    body = status_body(instance, show_input=True)
    assert (body["input"], body["output"], body["customStatus"]) == ({"a": 1}, [2], None)
    assert body["createdTime"] == "1970-01-01T00:00:01Z"
    assert status_body(instance, show_input=False)["input"] is None


def test_a_history_shows_a_completed_task_once_and_a_pending_one_as_scheduled() -> None:
    history = [
        event(EventType.ORCHESTRATOR_STARTED, AT),
        event(
            EventType.EXECUTION_STARTED,
            AT,
            Name="main",
            Input='"x"',
            OrchestrationInstance={},
            ParentInstance=None,
            Tags=None,
        ),
        event(EventType.TASK_SCHEDULED, AT, 0, Name="A", Input="1"),
        event(EventType.TIMER_CREATED, AT, 1, FireAt=AT),
        event(EventType.ORCHESTRATOR_COMPLETED, AT),
        event(EventType.TASK_COMPLETED, AT, TaskScheduledId=0, Result="2"),
    ]
    assert history_body(history, show_output=True, show_input=True) == [
        {"EventType": "ExecutionStarted", "Timestamp": AT, "Input": "x", "FunctionName": "main"},
        {"EventType": "TimerCreated", "Timestamp": AT, "FireAt": AT},
        {
            "EventType": "TaskCompleted",
            "Timestamp": AT,
            "ScheduledTime": AT,
            "FunctionName": "A",
            "Input": 1,
            "Result": 2,
        },
    ]
    hidden = history_body(history, show_output=False, show_input=False)
    assert not any("Input" in row or "Result" in row for row in hidden)
