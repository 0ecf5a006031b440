"""The orchestrations in the task hub of 9e4d491, replayed by the current orchestrator.

The SDK runs the orchestrator over a history and returns every action since its beginning. If these differ from the
history, a running instance fails as non-deterministic, in the local host and in Azure.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.compatibility import recorded
from tests.triggers.function_host import functions

pytestmark = pytest.mark.filterwarnings("ignore:azure.functions df_loads:DeprecationWarning")
"""The SDK loads results without an expected type, whatever an app does."""

_TASK_SCHEDULED, _TIMER_CREATED, _ORCHESTRATOR_COMPLETED, _EXECUTION_COMPLETED = 4, 10, 13, 1
_CALL_ACTIVITY, _CONTINUE_AS_NEW, _CREATE_TIMER, _WAIT_FOR_EVENT = 0, 4, 5, 6
"""Numbers of the Durable Functions protocol: `EventType` in a history, `actionType` in an answer."""
_SETTINGS = {
    "upperSchemaVersion": 1,
    "upperSchemaVersionNew": 2,
    "longRunningTimerIntervalDuration": "3.00:00:00",
    "maximumShortTimerDuration": "6.00:00:00",
}


@dataclass(frozen=True, kw_only=True)
class Instance:
    instance_id: str
    name: str
    status: str
    output: Any
    custom_status: Any
    history: list[dict[str, Any]]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    data = recorded.restore(tmp_path_factory.mktemp("hub") / "data")
    connection = sqlite3.connect(data / "host" / "hub.db")
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def instances(hub: sqlite3.Connection) -> list[Instance]:
    columns = "key, instance_id, name, status, output, custom_status"
    found = []
    for key, instance_id, name, status, output, custom_status in hub.execute(f"SELECT {columns} FROM instances"):  # noqa: S608
        rows = hub.execute("SELECT events FROM history WHERE slot >> 20 = ? ORDER BY slot", (key,))
        found.append(
            Instance(
                instance_id=instance_id,
                name=name,
                status=status,
                output=output and json.loads(output),
                custom_status=custom_status and json.loads(custom_status),
                history=json.loads(f"[{','.join(events for (events,) in rows)}]"),
            )
        )
    return found


def test_the_hub_has_finished_waiting_and_restarted_instances(instances: list[Instance]) -> None:
    assert {one.name for one in instances} == {"run_job"}
    assert {one.status for one in instances} == {"Completed", "Running"}
    activities = {event["Name"] for one in instances for event in one.history if event["EventType"] == _TASK_SCHEDULED}
    assert activities == {"begin_attempt", "observe_attempt", "end_attempt"}
    raised = {event["Name"] for one in instances for event in one.history if "Name" in event} - activities
    assert raised >= {"run_job", "attempt-1-ended", "cancel-requested"}


def test_every_history_replays_to_what_it_holds_at_every_episode(instances: list[Instance]) -> None:
    for one in instances:
        for end, event in enumerate(one.history, 1):
            if event["EventType"] == _ORCHESTRATOR_COMPLETED:
                state = _replayed(one, one.history[:end])
                assert _asked_for(state["actions"]) == _held(one.history[:end]), f"{one.instance_id}, event {end}"


def test_a_waiting_instance_lists_the_events_that_it_waits_for(instances: list[Instance]) -> None:
    waiting = [one for one in instances if one.status == "Running"]
    assert len(waiting) >= 6
    for one in waiting:
        state = _replayed(one, one.history)
        assert not state["isDone"]
        assert state["customStatus"] == one.custom_status


def test_an_instance_that_ended_gives_the_same_output(instances: list[Instance]) -> None:
    for one in instances:
        if one.status == "Completed":
            state = _replayed(one, one.history)
            assert (state["isDone"], state["output"]) == (True, one.output)


def _replayed(one: Instance, history: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the SDK's answer. An orchestrator that raises fails here."""
    known = [event for event in history if event["EventType"] != _EXECUTION_COMPLETED]
    body = {"history": known, "input": None, "instanceId": one.instance_id, "isReplaying": False}
    orchestrator = functions()[one.name].get_user_function()
    state: dict[str, Any] = json.loads(orchestrator(json.dumps({**body, "parentInstanceId": None, **_SETTINGS})))
    assert state.get("error") is None, state
    return state


def _asked_for(actions: Any) -> list[tuple[str, str]]:
    """Return the activities and timers in the order in which they take their ids; waits for events take none."""
    found: list[tuple[str, str]] = []
    for action in actions:
        if isinstance(action, list):
            found += _asked_for(action)
        elif "compoundActions" in action:
            found += _asked_for(action["compoundActions"])
        elif action["actionType"] == _CALL_ACTIVITY:
            found.append((action["functionName"], str(action["input"])))
        elif action["actionType"] == _CREATE_TIMER:
            found.append(("timer", action["fireAt"][:19]))
        else:
            assert action["actionType"] in (_WAIT_FOR_EVENT, _CONTINUE_AS_NEW), action
    return found


def _held(history: list[dict[str, Any]]) -> list[tuple[str, str]]:
    held = {
        event["EventId"]: (event["Name"], str(event["Input"]))
        if event["EventType"] == _TASK_SCHEDULED
        else ("timer", event["FireAt"][:19])
        for event in history
        if event["EventType"] in (_TASK_SCHEDULED, _TIMER_CREATED)
    }
    return [held[number] for number in sorted(held)]
