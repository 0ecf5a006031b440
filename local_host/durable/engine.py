"""How do orchestrations run? The engine: start them, tell them things, and do the work that follows, step by step.

The engine does nothing by itself. It has no thread, no task and no timer of its own; whoever drives it asks what is
there to do and does it. The host's background loop (`runner`) is one driver; a test or a simulation is another:

    clock = VirtualClock()
    engine = Engine(hub=TaskHub(), clock=clock, orchestrators={"main": main}, activities={"greet": greet})
    instance_id = engine.start("main", input_text=encode_input({"job": 1}))
    while True:
        for item in engine.ready():             # what can be done now, oldest first; pick any, in any order
            await engine.run(item)
        if not engine.ready():
            due = engine.next_due()             # nothing to do until then
            if due is None:
                break
            clock.advance_to(due)
    print(engine.status(instance_id).status)

or, the same in one line, `await engine.run_until_idle()`, which stops before it would have to let time pass.

**Work.** `ready` lists `Episode` (an instance has messages), `ActivityCall` (scheduled, not completed) and `TimerDue`.
It reads the hub every time, so an item stays listed until its effect is committed, and running an item that was already
done does nothing. An `ActivityCall` has two phases: `execute` calls the user's function and gives a `Completion`,
which nobody knows of until `commit`. Dropping a completion is what a crash between the two looks like: the call is
listed again, and the activity runs twice. Committing a second completion of the same call does nothing.

**Durability.** Every method that changes something is one transaction, and returns after it is committed. Inside
`with engine.batch():` several become one; nothing done there may be acted on before the block is left. To crash and
restart in memory, make a new `Engine` on the same `TaskHub`.

**Functions.** `orchestrators` maps a name to what `azure.durable_functions` made of the function (JSON text in and
out: `Orchestrator.create(generator_function)`, or `function.get_user_function()` of an indexed app). `activities` maps
a name to an async callable that takes the decoded input and returns a JSON-serialisable value.

**Inputs** are JSON texts of the value *as the host stores it*. The SDK's client posts a JSON string that holds JSON
(`encode_input(value)` does the same); what it posts is what a real client would.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any

from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum

from local_host.clock import Clock
from local_host.durable import sdk
from local_host.durable.answer import Orchestrator
from local_host.durable.episodes import Episodes
from local_host.durable.failures import describe_failure
from local_host.durable.history import (
    EVENT_RAISED,
    EXECUTION_RESUMED,
    EXECUTION_REWOUND,
    EXECUTION_SUSPENDED,
    EXECUTION_TERMINATED,
    TASK_COMPLETED,
    TASK_FAILED,
    TASK_SCHEDULED,
    TIMER_FIRED,
    Event,
    encode,
    event,
    from_micros,
    micros,
    stamp,
)
from local_host.durable.hub import FAILED, FINISHED, RUNNING, Filter, Instance, TaskHub
from local_host.durable.instance_ids import require_good_id
from local_host.durable.rewinding import rewind
from local_host.durable.work import ActivityCall, Completion, Episode, TimerDue, WorkItem
from local_host.errors import (
    InstanceExists,
    InstanceFinished,
    InstanceMissing,
    UnknownFunction,
)

__all__ = ["Activity", "ActivityCall", "Completion", "Engine", "Episode", "TimerDue", "WorkItem", "encode_input"]

Activity = Callable[[Any], Awaitable[Any]]


class Engine:
    """Orchestrations over one task hub. Not safe for threads: call it from one event loop."""

    def __init__(
        self,
        *,
        hub: TaskHub,
        clock: Clock,
        orchestrators: Mapping[str, Orchestrator],
        activities: Mapping[str, Activity],
        default_version: str = "",
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_change` is called after every commit that may have made work."""
        sdk.prepare()
        self.hub = hub
        self.clock = clock
        self.on_change = on_change
        self._orchestrators = orchestrators
        self._activities = activities
        self._episodes = Episodes(
            hub=hub,
            clock=clock,
            orchestrators=orchestrators,
            activities=activities.keys(),
            default_version=default_version,
        )

    # What clients ask for

    def start(
        self,
        name: str,
        *,
        instance_id: str | None = None,
        input_text: str | None = None,
        version: str | None = None,
    ) -> str:
        """Start an instance and return its id.

        A finished instance of the same id is replaced, with its history.

        Errors: `UnknownFunction`, `BadInstanceId`, and `InstanceExists` when an instance of that id is not finished.
        """
        if name not in self._orchestrators:
            raise UnknownFunction(name, "orchestrator", list(self._orchestrators))
        instance_id = instance_id or uuid.uuid4().hex
        require_good_id(instance_id)
        with self._changing():
            taken = self.hub.instance(instance_id)
            if taken is not None:
                if taken.status not in FINISHED:
                    raise InstanceExists(instance_id, taken.status)
                self._delete(taken)
            self._episodes.start(name=name, instance_id=instance_id, input_text=input_text, version=version)
        return instance_id

    def raise_event(self, instance_id: str, name: str, input_text: str | None) -> None:
        """Send an event; `input_text` is the JSON text that was posted.

        Errors: `InstanceMissing`, `InstanceFinished`.
        """
        self._send(instance_id, event(EVENT_RAISED, self._now(), Name=name, Input=input_text))

    def terminate(self, instance_id: str, reason: str) -> None:
        """End an instance at its next episode; activities under way run on, children too. Errors: as `raise_event`."""
        self._send(instance_id, event(EXECUTION_TERMINATED, self._now(), Input=encode(reason)))

    def suspend(self, instance_id: str, reason: str) -> None:
        self._send(instance_id, event(EXECUTION_SUSPENDED, self._now(), Reason=reason))

    def resume(self, instance_id: str, reason: str) -> None:
        self._send(instance_id, event(EXECUTION_RESUMED, self._now(), Reason=reason))

    def restart(self, instance_id: str, *, new_id: bool) -> str:
        """Start again with the same name, input and version; return the id. Errors: as `start`, `InstanceMissing`."""
        before = self._require(instance_id)
        again = None if new_id else instance_id
        return self.start(before.name, instance_id=again, input_text=before.input, version=before.version)

    def rewind(self, instance_id: str, reason: str) -> None:
        """Let a failed instance live its last failures again; see `rewinding` for which.

        Errors: `InstanceMissing`; `InstanceFinished` when it has not failed, running included.
        """
        with self._changing():
            instance = self._require(instance_id)
            if instance.status != FAILED:
                raise InstanceFinished(instance_id, instance.status)
            rewound = rewind(self.history(instance_id))
            key = instance.key
            self.hub.renew_instance(key, execution_id=instance.execution_id, input_text=instance.input)
            self._episodes.generations.forget(key)
            self.hub.append_history(key, 0, ",".join(encode(kept) for kept in rewound.history))
            self.hub.update_instance(
                key,
                status=RUNNING,
                output=None,
                custom_status=instance.custom_status,
                updated_at=micros(self.clock.now()),
                suspended=False,
            )
            for again in rewound.again:
                if again["EventType"] == TASK_SCHEDULED:
                    self.hub.add_activity(key, again["EventId"], again["Name"], again["Input"])
            for child in rewound.children():
                with contextlib.suppress(InstanceMissing, InstanceFinished):
                    self.rewind(child["InstanceId"], reason)
            self.hub.send(key, encode(event(EXECUTION_REWOUND, self._now(), Reason=reason)))

    def purge(self, instance_id: str) -> int:
        """Delete an instance that is finished; return how many were deleted."""
        with self._changing():
            instance = self.hub.instance(instance_id)
            if instance is None or instance.status not in FINISHED:
                return 0
            self._delete(instance)
        return 1

    def purge_all(self, chosen: Filter) -> int:
        """Delete all finished instances that the filter chooses; return how many."""
        statuses = tuple(status for status in chosen.statuses if status in FINISHED) or tuple(sorted(FINISHED))
        if chosen.statuses and not FINISHED.intersection(chosen.statuses):
            return 0
        wanted = Filter(
            created_from=chosen.created_from,
            created_to=chosen.created_to,
            statuses=statuses,
            id_prefix=chosen.id_prefix,
        )
        deleted = 0
        while page := self.hub.instances(wanted, after=0, limit=_PURGE_BATCH):
            with self._changing():
                for instance in page:
                    self._delete(instance)
            deleted += len(page)
        return deleted

    def status(self, instance_id: str) -> Instance | None:
        return self.hub.instance(instance_id)

    def history(self, instance_id: str) -> list[Event]:
        """Return the history of the current generation as the SDK sees it. Errors: `InstanceMissing`."""
        chunks, _ = self.hub.history(self._require(instance_id).key)
        events: list[Event] = json.loads(f"[{','.join(chunks)}]")
        return events

    # Work

    def ready(self, *, limit: int = 256) -> list[WorkItem]:
        """List what can be done now: due timers, episodes, activities, each oldest first, up to `limit` of each."""
        return [
            *self.timers_due(limit=limit),
            *self.episodes(limit=limit),
            *self.activity_calls(after=0, limit=limit),
        ]

    def timers_due(self, *, limit: int) -> list[TimerDue]:
        due = self.hub.due_timers(micros(self.clock.now()), limit)
        return [TimerDue(slot=t.slot, instance_id=t.instance_id, fire_at=from_micros(t.fire_at)) for t in due]

    def episodes(self, *, limit: int) -> list[Episode]:
        return [Episode(key=key) for key in self.hub.keys_with_messages(limit)]

    def activity_calls(self, *, after: int, limit: int) -> list[ActivityCall]:
        """List calls whose number is above `after`; numbers grow, so a driver remembers the last one it took up."""
        return [ActivityCall.of(pending) for pending in self.hub.activities(after=after, limit=limit)]

    def next_due(self) -> datetime | None:
        """Return when the earliest timer is due; it may be past."""
        fire_at = self.hub.next_timer()
        return None if fire_at is None else from_micros(fire_at)

    async def run(self, item: WorkItem) -> None:
        """Do one item completely."""
        if isinstance(item, ActivityCall):
            self.commit(await self.execute(item))
        else:
            self.step(item)

    def step(self, item: Episode | TimerDue) -> None:
        """Do one episode, or turn one due timer into a message."""
        with self._changing():
            if isinstance(item, Episode):
                self._episodes.run(item.key)
            else:
                self._fire(item)

    def rest(self) -> None:
        """Let go of the histories that are kept at hand; whoever becomes active again is read again."""
        self._episodes.generations.forget_all()

    async def execute(self, call: ActivityCall) -> Completion:
        """Call the activity. Nothing is stored, and an activity that raises gives a failed completion."""
        try:
            decoded = ActivityTriggerConverter.decode(
                Datum(type="json", value=call.input_text or "null"), trigger_metadata=None
            )
            activity = self._activities.get(call.name)
            if activity is None:
                raise UnknownFunction(call.name, "activity", list(self._activities))
            value = await activity(decoded)
            result = ActivityTriggerConverter.encode(value, expected_type=None).value
        except Exception as raised:
            reason, details = describe_failure(call.name, raised)
            return Completion(call=call, result=None, reason=reason, details=details)
        return Completion(call=call, result=result, reason=None, details=None)

    def commit(self, completion: Completion) -> bool:
        """Store a completion; return whether it was the first of its call."""
        call = completion.call
        with self._changing():
            if not self.hub.delete_activity(call.number):
                return False
            at = self._now()
            if completion.reason is None:
                told = event(TASK_COMPLETED, at, TaskScheduledId=call.task_id, Result=completion.result)
            else:
                told = event(
                    TASK_FAILED,
                    at,
                    TaskScheduledId=call.task_id,
                    Reason=completion.reason,
                    Details=completion.details,
                )
            if call.instance_id is not None:
                self.hub.send(call.key, encode(told))
        return True

    async def run_until_idle(self, *, steps_max: int = 1_000_000) -> None:
        """Do all that can be done without letting time pass. Errors: `RuntimeError` after `steps_max` items."""
        while items := self.ready():
            for item in items:
                await self.run(item)
                steps_max -= 1
                if steps_max < 0:
                    raise RuntimeError("the orchestrations do not come to rest")

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Make one transaction of several calls."""
        with self._change_alone(False):
            yield

    def _changing(self) -> AbstractContextManager[None]:
        # Within a batch the batch answers for everything: it commits, and it forgets when it is rolled back.
        return _WITHIN if self.hub.is_changing else self._change_alone(True)

    @contextmanager
    def _change_alone(self, tell: bool) -> Iterator[None]:
        try:
            with self.hub.transaction():
                yield
        except BaseException:
            self._episodes.generations.forget_all()
            raise
        if tell:
            self.on_change()

    def _send(self, instance_id: str, message: Event) -> None:
        with self._changing():
            instance = self._require(instance_id)
            if instance.status in FINISHED:
                raise InstanceFinished(instance_id, instance.status)
            self.hub.send(instance.key, encode(message))

    def _fire(self, due: TimerDue) -> None:
        taken = self.hub.take_timer(due.slot)
        if taken is not None:
            key, task_id = taken
            fired = event(TIMER_FIRED, self._now(), TimerId=task_id, FireAt=stamp(due.fire_at))
            self.hub.send(key, encode(fired))

    def _require(self, instance_id: str) -> Instance:
        instance = self.hub.instance(instance_id)
        if instance is None:
            raise InstanceMissing(instance_id)
        return instance

    def _delete(self, instance: Instance) -> None:
        self.hub.delete_instance(instance.key)
        self._episodes.generations.forget(instance.key)

    def _now(self) -> str:
        return stamp(self.clock.now())


def encode_input(value: Any) -> str:
    """Encode an input as the SDK's client posts it: a JSON string that holds JSON.

    >>> encode_input({"job": 1})
    '"{\\\\"job\\\\": 1}"'
    """
    return json.dumps(json.dumps(value))


_PURGE_BATCH = 500
_WITHIN: AbstractContextManager[None] = contextlib.nullcontext()
