"""How do orchestrations run? The engine starts them, sends them messages, and does the resulting work step by step.

The engine does nothing on its own and has no threads, tasks or timers. A driver asks it which work is available and has
it done: the host's background loop (`runner`), or a test (`tests/engine_work.py`).

**Work.** `episodes` lists instances with messages, `activity_calls` lists activities without a result, and `timers_due`
lists timers. They read the hub every time, so an item stays listed until its effect is committed. Running an item that
is already done does nothing. An `ActivityCall` has two phases: `execute` calls the user's function and returns a
`Completion`, and `commit` stores it. A completion that is never committed is like a crash between the two: the call is
listed again, and the activity runs twice. Committing a second completion of the same call does nothing.

**Durability.** Every method that changes something is one transaction and returns after the commit. Inside
`with engine.batch():` several calls share one transaction; do not act on their results before the block ends. To
simulate a crash and restart in memory, create a new `Engine` on the same `TaskHub`.

**Functions.** `orchestrators` maps names to functions wrapped by `azure.durable_functions` (JSON text in and out:
`Orchestrator.create(generator_function)`, or `function.get_user_function()` of an indexed app). `activities` maps names
to async callables that take the decoded input and return a JSON-serializable value.

**Inputs** are JSON texts of the value *as the host stores it*: the SDK's client posts a JSON string that contains JSON.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum

from local_host.clock import Clock
from local_host.durable import sdk
from local_host.durable.episodes import Episodes
from local_host.durable.failures import describe_failure
from local_host.durable.history import Event, EventType, encode, event, from_micros, micros, stamp
from local_host.durable.hub import FAILED, FINISHED, RUNNING, ActivityCall, Filter, Instance, TaskHub, TimerDue
from local_host.durable.instance_ids import validate_instance_id
from local_host.durable.orchestrator_call import Orchestrator
from local_host.durable.rewinding import rewind
from local_host.errors import InstanceExists, InstanceFinished, InstanceMissing, UnknownFunction

Activity = Callable[[Any], Awaitable[Any]]


class Episode(NamedTuple):
    """An instance has unread messages. Shapes: `key` is the instance's key in the task hub."""

    key: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """The outcome of an activity; it has no effect until it is committed.

    Shapes: `result` is the JSON text of the value. A failed activity sets `reason` and `details` instead.
    """

    call: ActivityCall
    result: str | None = None
    reason: str | None = None
    details: str | None = None


class Engine:
    """Orchestrations in one task hub. Not thread-safe: use it from one event loop."""

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
        """`on_change` is called after every commit that may have created work."""
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

    # Requests of clients

    def start(
        self, name: str, *, instance_id: str | None = None, input_text: str | None = None, version: str | None = None
    ) -> str:
        """Start an instance and return its id.

        A finished instance with the same id is replaced, including its history.

        Shapes: without `instance_id` the id is 32 hex digits. `input_text` is JSON text, `None` for no input. Without
        `version` the app's default applies.

        Errors: `UnknownFunction`; `BadInstanceId`; `InstanceExists` if an unfinished instance has the id.
        """
        if name not in self._orchestrators:
            raise UnknownFunction(name, "orchestrator", self._orchestrators)
        instance_id = instance_id or uuid.uuid4().hex
        validate_instance_id(instance_id)
        with self._changing():
            existing = self.hub.instance(instance_id)
            if existing is not None:
                if existing.status not in FINISHED:
                    raise InstanceExists(existing.status)
                self._episodes.delete(existing)
            self._episodes.start(name=name, instance_id=instance_id, input_text=input_text, version=version)
        return instance_id

    def raise_event(self, instance_id: str, name: str, input_text: str | None) -> None:
        """Send an external event; `input_text` is the JSON text that the client posted.

        Errors: `InstanceMissing`, `InstanceFinished`.
        """
        self._send(instance_id, event(EventType.EVENT_RAISED, self._now(), Name=name, Input=input_text))

    def terminate(self, instance_id: str, reason: str) -> None:
        """End an instance at its next episode. Running activities and sub-orchestrations continue.

        Errors: as `raise_event`.
        """
        self._send(instance_id, event(EventType.EXECUTION_TERMINATED, self._now(), Input=encode(reason)))

    def suspend(self, instance_id: str, reason: str) -> None:
        """Stop replaying an instance until `resume`; its messages are kept. Errors: as `raise_event`."""
        self._send(instance_id, event(EventType.EXECUTION_SUSPENDED, self._now(), Reason=reason))

    def resume(self, instance_id: str, reason: str) -> None:
        """Continue a suspended instance. Errors: as `raise_event`."""
        self._send(instance_id, event(EventType.EXECUTION_RESUMED, self._now(), Reason=reason))

    def restart(self, instance_id: str, *, new_id: bool) -> str:
        """Start the same function again with the same input and version, and return the id.

        Errors: `InstanceMissing`; the errors of `start`.
        """
        before = self._require(instance_id)
        again = None if new_id else instance_id
        return self.start(before.name, instance_id=again, input_text=before.input, version=before.version)

    def rewind(self, instance_id: str, reason: str) -> None:
        """Repeat the last failures of a failed instance; `rewinding` says which.

        Errors: `InstanceMissing`; `InstanceFinished` if it has not failed, even if it is running.
        """
        with self._changing():
            instance = self._require(instance_id)
            if instance.status != FAILED:
                raise InstanceFinished(instance_id, instance.status)
            history, rerun = rewind(self.history(instance_id))
            key = instance.key
            self.hub.delete_history(key)
            self._episodes.executions.forget(key)
            self.hub.append_history(key, 0, ",".join(map(encode, history)))
            updated_at = micros(self.clock.now())
            self.hub.update_instance(instance._replace(status=RUNNING, output=None, updated_at=updated_at, suspended=0))
            for task in rerun:
                if task["EventType"] == EventType.TASK_SCHEDULED:
                    self.hub.add_activity(key, task["EventId"], task["Name"], task["Input"])
                elif task["EventType"] == EventType.SUB_ORCHESTRATION_INSTANCE_CREATED:
                    with contextlib.suppress(InstanceMissing, InstanceFinished):
                        self.rewind(task["InstanceId"], reason)
            self.hub.send(key, encode(event(EventType.EXECUTION_REWOUND, self._now(), Reason=reason)))

    def purge(self, instance_id: str) -> int:
        """Delete a finished instance. Return 1, or 0 if it is missing or unfinished."""
        with self._changing():
            instance = self.hub.instance(instance_id)
            if instance is None or instance.status not in FINISHED:
                return 0
            self._episodes.delete(instance)
        return 1

    def purge_all(self, chosen: Filter) -> int:
        """Delete all finished instances that match the filter, and return their number."""
        statuses = FINISHED.intersection(chosen.statuses) if chosen.statuses else FINISHED
        if not statuses:
            return 0
        wanted = replace(chosen, statuses=tuple(sorted(statuses)))
        deleted = 0
        while page := self.hub.instances(wanted, after=0, limit=_PURGE_BATCH):
            with self._changing():
                for instance in page:
                    self._episodes.delete(instance)
            deleted += len(page)
        return deleted

    def status(self, instance_id: str) -> Instance | None:
        """Return an instance, or `None` if it does not exist."""
        return self.hub.instance(instance_id)

    def history(self, instance_id: str) -> list[Event]:
        """Return the history of the current execution, as the SDK sees it. Errors: `InstanceMissing`."""
        chunks, _ = self.hub.history(self._require(instance_id).key)
        events: list[Event] = json.loads(f"[{','.join(chunks)}]")
        return events

    # Work

    def timers_due(self, *, limit: int) -> list[TimerDue]:
        return self.hub.due_timers(micros(self.clock.now()), limit)

    def episodes(self, *, limit: int) -> list[Episode]:
        return [Episode(key) for key in self.hub.keys_with_messages(limit)]

    def activity_calls(self, *, after: int, limit: int) -> list[ActivityCall]:
        """List calls whose number is above `after`. Numbers grow, so a driver passes the last one that it started."""
        return self.hub.activities(after=after, limit=limit)

    def next_due(self) -> datetime | None:
        """Return the due time of the earliest timer, which may be in the past, or `None` without timers."""
        fire_at = self.hub.next_timer()
        return None if fire_at is None else from_micros(fire_at)

    def step(self, item: Episode | TimerDue) -> None:
        """Run one episode, or turn one due timer into a message."""
        with self._changing():
            if isinstance(item, Episode):
                self._episodes.run(item.key)
            elif (timer := self.hub.take_timer(item.slot)) is not None:
                key, task_id = timer
                fire_at = stamp(from_micros(item.fire_at))
                self.hub.send(key, encode(event(EventType.TIMER_FIRED, self._now(), TimerId=task_id, FireAt=fire_at)))

    def drop_cached_histories(self) -> None:
        """Free the memory of cached histories. An instance that becomes active again is read from the hub."""
        self._episodes.executions.forget_all()

    async def execute(self, call: ActivityCall) -> Completion:
        """Call an activity without storing anything. An activity that raises returns a failed completion."""
        try:
            decoded = ActivityTriggerConverter.decode(
                Datum(type="json", value=call.input_text or "null"), trigger_metadata=None
            )
            activity = self._activities.get(call.name)
            if activity is None:
                raise UnknownFunction(call.name, "activity", self._activities)
            value = await activity(decoded)
            result = ActivityTriggerConverter.encode(value, expected_type=None).value
        except Exception as error:
            reason, details = describe_failure(call.name, error)
            return Completion(call=call, reason=reason, details=details)
        return Completion(call=call, result=result)

    def commit(self, completion: Completion) -> bool:
        """Store a completion. Return whether it was the first for its call."""
        call = completion.call
        with self._changing():
            if not self.hub.delete_activity(call.number):
                return False
            if call.instance_id is not None:
                outcome: dict[str, Any] = {"Result": completion.result}
                kind = EventType.TASK_COMPLETED
                if completion.reason is not None:
                    kind, outcome = EventType.TASK_FAILED, {"Reason": completion.reason, "Details": completion.details}
                message = event(kind, self._now(), TaskScheduledId=call.task_id, **outcome)
                self.hub.send(call.key, encode(message))
        return True

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Group several calls into one transaction."""
        with self._change_alone(False):
            yield

    def _changing(self) -> AbstractContextManager[None]:
        # Inside a batch, the batch commits, and drops the cache if it is rolled back.
        return _WITHIN_BATCH if self.hub.is_changing else self._change_alone(True)

    @contextmanager
    def _change_alone(self, notify: bool) -> Iterator[None]:
        try:
            with self.hub.transaction():
                yield
        except BaseException:
            self._episodes.executions.forget_all()
            raise
        if notify:
            self.on_change()

    def _send(self, instance_id: str, message: Event) -> None:
        with self._changing():
            instance = self._require(instance_id)
            if instance.status in FINISHED:
                raise InstanceFinished(instance_id, instance.status)
            self.hub.send(instance.key, encode(message))

    def _require(self, instance_id: str) -> Instance:
        instance = self.hub.instance(instance_id)
        if instance is None:
            raise InstanceMissing(instance_id)
        return instance

    def _now(self) -> str:
        return stamp(self.clock.now())


_PURGE_BATCH = 500
_WITHIN_BATCH: AbstractContextManager[None] = contextlib.nullcontext()
