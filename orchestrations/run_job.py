"""The orchestrator of one job. It handles order and waiting, and keeps no state.

Its instance id is the job id. Each activity reads the log and returns the next step: what to do, when, and which events
end the wait early. An event only wakes it; the facts are always in the log. Restarted from the top, at any time and any
number of times, it resumes from the log (I1).
"""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

from mayfly.jobs.next_step import NextStep
from mayfly.orchestrators import ORCHESTRATION

orchestrations = df.Blueprint()

STEPS_PER_GENERATION = 20
"""After this many steps the history is dropped: every replay reads all of it, and none of it is needed."""


@orchestrations.orchestration_trigger(context_name="context", orchestration=ORCHESTRATION)
def run_job(context: df.DurableOrchestrationContext) -> Generator[Any, Any, str | None]:
    """Run the steps of the job until nothing is left to do."""
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

    Each event name has one task, created once: the SDK keeps one slot per name and never clears it, so a second wait
    for a name would receive the first event again. A handled event leaves None in `events`. An event that came while an
    activity ran is not handled yet, and ends the wait before it begins.
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
            due.cancel()  # an open timer would keep a finished instance in the state Running
    events.update({name: None for name, task in waited.items() if _is_completed(task)})
    return True


def _is_completed(task: Any) -> bool:
    """Say whether a task is completed: `is_completed` in version 1 of the SDK, `is_complete` in version 2."""
    return bool(task.is_complete if hasattr(task, "is_complete") else task.is_completed)
