"""The orchestrator of one job. It decides order and waiting, and knows nothing.

Its instance id is the job id. Each activity reads the log and answers with the next step: what to do, when, and which
events may cut the wait short; what happened is always found in the log, so an event only wakes. Started again from the
top, at any time and any number of times, it carries on where the log stands (I1).
"""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

from mayfly.jobs.next_step import NextStep
from mayfly.orchestrators import ORCHESTRATION

orchestrations = df.Blueprint()

STEPS_PER_GENERATION = 20
"""After so many steps the history is dropped, because every replay reads all of it; nothing in it is needed."""


@orchestrations.orchestration_trigger(context_name="context", orchestration=ORCHESTRATION)
def run_job(context: df.DurableOrchestrationContext) -> Generator[Any, Any, str | None]:
    """Take the job's steps until nothing is left to do."""
    events: dict[str, Any] = {}
    step = NextStep(activity="begin_attempt")
    for _ in range(STEPS_PER_GENERATION):
        woken = (yield from _wait(context, step, events)) if step.due_at is not None else False
        activity = "end_attempt" if woken else step.activity
        step = NextStep.from_document((yield context.call_activity(activity, context.instance_id)))
        if step.activity == "done":
            return "done"
        context.set_custom_status({"next": step.activity, "at": step.to_document()["at"]})
    context.continue_as_new(None)
    return None


def _wait(context: df.DurableOrchestrationContext, step: NextStep, events: dict[str, Any]) -> Generator[Any, Any, bool]:
    """Wait until the step is due, and say whether an event came first.

    Every event name is waited for with one task, made once: the SDK keeps one slot per name and never clears it, so a
    second wait for a name would see the first one's event again. An event that was heeded leaves None in `events`; one
    that came while an activity ran has not been heeded, and ends the wait before it begins.
    """
    for name in step.wake_events:
        if name not in events:
            events[name] = context.wait_for_external_event(name)
    waited = {name: events[name] for name in step.wake_events if events[name] is not None}
    if not any(_is_completed(task) for task in waited.values()):
        due = context.create_timer(step.due_at)
        winner = yield context.task_any([*waited.values(), due])
        if winner is due:
            return False
        if not _is_completed(due):
            due.cancel()  # a timer that is left open keeps a finished instance in the state Running
    events.update({name: None for name, task in waited.items() if _is_completed(task)})
    return True


def _is_completed(task: Any) -> bool:
    """Say whether a task is completed: `is_completed` in version 1 of the SDK, `is_complete` in version 2."""
    return bool(task.is_complete if hasattr(task, "is_complete") else task.is_completed)
