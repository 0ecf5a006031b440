"""Which failures a rewind removes."""

from __future__ import annotations

from local_host.durable.history import (
    EXECUTION_COMPLETED,
    SUB_ORCHESTRATION_CREATED,
    SUB_ORCHESTRATION_FAILED,
    TASK_COMPLETED,
    TASK_FAILED,
    TASK_SCHEDULED,
    Event,
    event,
)
from local_host.durable.rewinding import rewind

AT = "2026-01-01T00:00:00.000000Z"


def scheduled(task_id: int, kind: int = TASK_SCHEDULED) -> Event:
    return event(kind, AT, task_id, Name="A")


def ended(task_id: int, kind: int = TASK_FAILED) -> Event:
    return event(kind, AT, TaskScheduledId=task_id)


END = event(EXECUTION_COMPLETED, AT)


def test_the_last_failures_are_removed_and_their_tasks_rerun() -> None:
    child = scheduled(1, SUB_ORCHESTRATION_CREATED)
    kept = [scheduled(0), child, scheduled(2), ended(2, TASK_COMPLETED)]
    rewound = rewind([*kept, ended(0), ended(1, SUB_ORCHESTRATION_FAILED), END])
    assert rewound.history == kept
    assert rewound.rerun == [scheduled(0), child]
    assert rewound.children() == [child]


def test_a_failure_that_the_code_handled_stays() -> None:
    handled = [scheduled(0), ended(0), scheduled(1)]
    rewound = rewind([*handled, ended(1), END])
    assert rewound.history == handled
    assert rewound.rerun == [scheduled(1)]


def test_an_orchestrator_that_raised_on_its_own_reruns_nothing() -> None:
    rewound = rewind([scheduled(0), ended(0, TASK_COMPLETED), END])
    assert (rewound.history, rewound.rerun) == ([scheduled(0), ended(0, TASK_COMPLETED)], [])
