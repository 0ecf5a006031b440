"""Which failures a rewind removes."""

from __future__ import annotations

from local_host.durable.history import Event, EventType, event
from local_host.durable.rewinding import rewind

AT = "2026-01-01T00:00:00.000000Z"


def scheduled(task_id: int, kind: int = EventType.TASK_SCHEDULED) -> Event:
    return event(kind, AT, task_id, Name="A")


def ended(task_id: int, kind: int = EventType.TASK_FAILED) -> Event:
    return event(kind, AT, TaskScheduledId=task_id)


END = event(EventType.EXECUTION_COMPLETED, AT)


def test_the_last_failures_are_removed_and_their_tasks_rerun() -> None:
    child = scheduled(1, EventType.SUB_ORCHESTRATION_INSTANCE_CREATED)
    kept = [scheduled(0), child, scheduled(2), ended(2, EventType.TASK_COMPLETED)]
    history, rerun = rewind([*kept, ended(0), ended(1, EventType.SUB_ORCHESTRATION_INSTANCE_FAILED), END])
    assert history == kept
    assert rerun == [scheduled(0), child]


def test_a_failure_that_the_code_handled_stays() -> None:
    handled = [scheduled(0), ended(0), scheduled(1)]
    history, rerun = rewind([*handled, ended(1), END])
    assert history == handled
    assert rerun == [scheduled(1)]


def test_an_orchestrator_that_raised_on_its_own_reruns_nothing() -> None:
    history, rerun = rewind([scheduled(0), ended(0, EventType.TASK_COMPLETED), END])
    assert (history, rerun) == ([scheduled(0), ended(0, EventType.TASK_COMPLETED)], [])
