"""One episode: what does an instance do with the messages that have come for it?

An episode takes all messages of one instance, appends them to its history, asks the orchestrator's code, and stores
what follows: new history, new activities, timers and sub-orchestrations, status, and the answer to a parent. The caller
puts it into one transaction, so that an episode has happened completely or not at all.

Source: Azure/azure-functions-durable-extension.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from local_host.clock import Clock
from local_host.durable.answer import Answer, Orchestrator, ask
from local_host.durable.generations import Generation, Generations
from local_host.durable.history import (
    COMPLETING,
    EXECUTION_COMPLETED,
    EXECUTION_RESUMED,
    EXECUTION_STARTED,
    EXECUTION_SUSPENDED,
    EXECUTION_TERMINATED,
    ORCHESTRATOR_COMPLETED,
    ORCHESTRATOR_STARTED,
    SUB_ORCHESTRATION_COMPLETED,
    SUB_ORCHESTRATION_CREATED,
    SUB_ORCHESTRATION_FAILED,
    TASK_SCHEDULED,
    TIMER_CREATED,
    Event,
    encode,
    event,
    mark,
    micros,
    stamp,
)
from local_host.durable.hub import (
    COMPLETED,
    FAILED,
    FINISHED,
    PENDING,
    RUNNING,
    SUSPENDED,
    TERMINATED,
    Instance,
    TaskHub,
)
from local_host.durable.replay import (
    Decision,
    NewActivity,
    NewChild,
    NewTimer,
    NonDeterminism,
    UnsupportedAction,
    decide,
)

log = logging.getLogger("local_host.durable.episodes")


class Episodes:
    """Runs episodes and starts instances, inside the caller's transaction."""

    def __init__(
        self,
        *,
        hub: TaskHub,
        clock: Clock,
        orchestrators: Mapping[str, Orchestrator],
        activities: Collection[str],
        default_version: str = "",
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._orchestrators = orchestrators
        self._activities = activities
        self._default_version = default_version
        self.generations = Generations(hub)

    def run(self, key: int) -> None:
        """Run one episode; without messages, or for an instance that is over, only the messages go."""
        messages = self._hub.messages(key)
        if not messages:
            return
        self._hub.delete_messages(key, messages[-1][0])
        generation = self.generations.load(key)
        if generation is None or generation.instance.status in FINISHED:
            return
        now = self._clock.now()
        turn = _Turn(now=now, at=stamp(now), suspended=bool(generation.instance.suspended))
        for _, text in messages:
            self._read(generation, turn, text)
        if len(turn.events) == 1:
            return  # nothing but completions of what nobody waits for
        if turn.terminated is not None:
            self._finish(generation, turn, TERMINATED, turn.terminated["Input"])
        elif turn.suspended:
            self._wait(generation, turn, None)
        else:
            self._ask(generation, turn)

    def start(
        self,
        *,
        name: str,
        instance_id: str,
        input_text: str | None,
        version: str | None,
        parent: Instance | None = None,
        parent_task_id: int | None = None,
    ) -> int:
        """Store a new instance and its first message; whoever had the id before must be gone."""
        now = self._clock.now()
        instance = Instance(
            key=0,
            instance_id=instance_id,
            execution_id=uuid.uuid4().hex,
            name=name,
            version=self._default_version if version is None else version,
            status=PENDING,
            input=input_text,
            output=None,
            custom_status=None,
            created_at=micros(now),
            updated_at=micros(now),
            parent_id=parent.instance_id if parent else None,
            parent_key=parent.key if parent else None,
            parent_execution_id=parent.execution_id if parent else None,
            parent_task_id=parent_task_id,
            suspended=0,
        )
        key = self._hub.add_instance(instance)
        self._hub.send(key, encode(_started(instance, stamp(now))))
        return key

    def _read(self, generation: Generation, turn: _Turn, text: str) -> None:
        message: Event = json.loads(text)
        kind = message["EventType"]
        if kind in COMPLETING:
            completed_id = message[COMPLETING[kind]]
            if completed_id not in generation.open_ids:
                return
            generation.open_ids.remove(completed_id)
        elif kind == EXECUTION_TERMINATED:
            turn.terminated = turn.terminated or message
        elif kind == EXECUTION_SUSPENDED:
            turn.suspended = True
        elif kind == EXECUTION_RESUMED:
            turn.suspended = False
        turn.add(message, text)

    def _ask(self, generation: Generation, turn: _Turn) -> None:
        instance = generation.instance
        orchestrator = self._orchestrators.get(instance.name)
        if orchestrator is None:
            known = ", ".join(f"'{name}'" for name in sorted(self._orchestrators)) or "none"
            self._fail(generation, turn, f"this app has no orchestrator of that name (it has {known})")
            return
        history = turn.text if not generation.text else f"{generation.text},{turn.text}"
        answer = ask(
            orchestrator,
            history=history,
            input_text=instance.input,
            instance_id=instance.instance_id,
            parent_instance_id=instance.parent_id,
        )
        if answer.broken is not None:
            self._fail(generation, turn, answer.broken)
            return
        try:
            decision = decide([*generation.events, *turn.events], answer, now=turn.now)
            self._require_known(decision)
        except NonDeterminism as found:
            self._fail(generation, turn, _non_determinism(instance, found))
        except UnsupportedAction as found:
            self._fail(generation, turn, f"{found.what} is not supported by the local host")
        except _Unknown as found:
            self._fail(generation, turn, str(found))
        else:
            self._carry_out(generation, turn, answer, decision)

    def _require_known(self, decision: Decision) -> None:
        for new in decision.scheduled:
            if isinstance(new, NewActivity) and new.name not in self._activities:
                raise _Unknown(_unknown_text(new.name, "activity", self._activities))
            if isinstance(new, NewChild) and new.name not in self._orchestrators:
                raise _Unknown(_unknown_text(new.name, "orchestrator", self._orchestrators))

    def _carry_out(self, generation: Generation, turn: _Turn, answer: Answer, decision: Decision) -> None:
        for new in decision.scheduled:
            generation.open_ids.add(new.task_id)
            if isinstance(new, NewActivity):
                self._schedule_activity(generation, turn, new)
            elif isinstance(new, NewTimer):
                self._schedule_timer(generation, turn, new, cancelled=new.task_id in decision.cancelled_timers)
            else:
                self._schedule_child(generation, turn, new)
        for task_id in decision.cancelled_timers:
            if task_id not in generation.cancelled:
                generation.cancelled.add(task_id)
                self._hub.delete_timer(generation.instance.key, task_id)
        if not decision.ended:
            self._wait(generation, turn, answer)
        elif decision.continue_as_new:
            self._continue_as_new(generation, turn, answer, decision)
        elif answer.error is not None:
            self._fail(generation, turn, answer.error, answer)
        else:
            output = None if answer.output is None else encode(answer.output)
            self._finish(generation, turn, COMPLETED, output, answer, next_id=decision.next_id)

    def _schedule_activity(self, generation: Generation, turn: _Turn, new: NewActivity) -> None:
        turn.add(event(TASK_SCHEDULED, turn.at, new.task_id, Name=new.name, Version="", Input=new.input_text))
        self._hub.add_activity(generation.instance.key, new.task_id, new.name, new.input_text)

    def _schedule_timer(self, generation: Generation, turn: _Turn, new: NewTimer, *, cancelled: bool) -> None:
        turn.add(event(TIMER_CREATED, turn.at, new.task_id, FireAt=stamp(new.fire_at)))
        if not cancelled:
            self._hub.add_timer(generation.instance.key, new.task_id, micros(new.fire_at))

    def _schedule_child(self, generation: Generation, turn: _Turn, new: NewChild) -> None:
        parent = generation.instance
        # The name that the Durable Task Framework gives to a child that was given none.
        instance_id = new.instance_id or f"{parent.execution_id}:{new.task_id}"
        input_text = None if new.input_text is None else encode(new.input_text)
        turn.add(
            event(
                SUB_ORCHESTRATION_CREATED,
                turn.at,
                new.task_id,
                Name=new.name,
                Version=new.version or "",
                InstanceId=instance_id,
                Input=input_text,
            )
        )
        taken = self._hub.instance(instance_id)
        if taken is not None and taken.status not in FINISHED:
            reason = f"An Orchestration instance with the status {taken.status} already exists."
            failed = event(
                SUB_ORCHESTRATION_FAILED, turn.at, TaskScheduledId=new.task_id, Reason=reason, Details=instance_id
            )
            self._hub.send(parent.key, encode(failed))
            return
        if taken is not None:
            self._hub.delete_instance(taken.key)
            self.generations.forget(taken.key)
        self.start(
            name=new.name,
            instance_id=instance_id,
            input_text=input_text,
            version=new.version,
            parent=parent,
            parent_task_id=new.task_id,
        )

    def _wait(self, generation: Generation, turn: _Turn, answer: Answer | None) -> None:
        turn.add(*mark(ORCHESTRATOR_COMPLETED, turn.at))
        self._store(generation, turn, SUSPENDED if turn.suspended else RUNNING, None, answer)
        self.generations.append(generation, turn.text, turn.events)

    def _fail(self, generation: Generation, turn: _Turn, error: str, answer: Answer | None = None) -> None:
        instance = generation.instance
        text = f"Orchestrator function '{instance.name}' failed: {error}"
        log.warning("Instance %s failed. %s", instance.instance_id, text)
        self._finish(generation, turn, FAILED, encode(text), answer)

    def _finish(
        self,
        generation: Generation,
        turn: _Turn,
        status: str,
        output: str | None,
        answer: Answer | None = None,
        *,
        next_id: int = -1,
    ) -> None:
        instance = generation.instance
        if status != TERMINATED:
            turn.add(event(EXECUTION_COMPLETED, turn.at, next_id, OrchestrationStatus=status, Result=output))
        turn.add(*mark(ORCHESTRATOR_COMPLETED, turn.at))
        self._hub.delete_timers(instance.key)
        self._store(generation, turn, status, output, answer)
        self.generations.append(generation, turn.text, turn.events)
        self.generations.forget(instance.key)
        self._tell_parent(instance, status, output, turn.at)

    def _continue_as_new(self, generation: Generation, turn: _Turn, answer: Answer, decision: Decision) -> None:
        instance = generation.instance
        input_text = None if decision.continue_input is None else encode(decision.continue_input)
        execution_id = uuid.uuid4().hex
        self._hub.delete_timers(instance.key)
        self._hub.renew_instance(instance.key, execution_id=execution_id, input_text=input_text)
        self._store(generation, turn, RUNNING, None, answer)
        self.generations.forget(instance.key)
        renewed = instance._replace(execution_id=execution_id, input=input_text)
        # All older messages were taken by this episode, so the new beginning is first in the inbox.
        self._hub.send(instance.key, encode(_started(renewed, turn.at)))
        for unread in decision.unread:
            self._hub.send(instance.key, encode(unread))

    def _store(
        self, generation: Generation, turn: _Turn, status: str, output: str | None, answer: Answer | None
    ) -> None:
        custom_status = generation.instance.custom_status
        if answer is not None and answer.custom_status is not None:
            custom_status = encode(answer.custom_status)
        updated = generation.instance._replace(
            status=status,
            output=output,
            custom_status=custom_status,
            updated_at=micros(turn.now),
            suspended=int(turn.suspended),
        )
        generation.instance = updated
        self._hub.update_instance(
            updated.key,
            status=status,
            output=output,
            custom_status=custom_status,
            updated_at=updated.updated_at,
            suspended=turn.suspended,
        )

    def _tell_parent(self, child: Instance, status: str, output: str | None, at: str) -> None:
        if child.parent_key is None:
            return
        parent = self._hub.instance_by_key(child.parent_key)
        if parent is None or parent.execution_id != child.parent_execution_id or parent.status in FINISHED:
            return
        task_id = child.parent_task_id
        if status == COMPLETED:
            told = event(SUB_ORCHESTRATION_COMPLETED, at, TaskScheduledId=task_id, Result=output or "null")
        else:
            reason = json.loads(output) if output else status
            told = event(
                SUB_ORCHESTRATION_FAILED,
                at,
                TaskScheduledId=task_id,
                Reason=reason,
                Details=f"Sub-orchestration '{child.name}' with instance id '{child.instance_id}' is {status}.",
            )
        self._hub.send(parent.key, encode(told))


@dataclass(slots=True)
class _Turn:
    """What one episode adds to the history, as events and as text."""

    now: datetime
    at: str
    suspended: bool
    terminated: Event | None
    events: list[Event]
    text: str

    def __init__(self, *, now: datetime, at: str, suspended: bool) -> None:
        self.now = now
        self.at = at
        self.suspended = suspended
        self.terminated = None
        first, self.text = mark(ORCHESTRATOR_STARTED, at)
        self.events = [first]

    def add(self, added: Event, text: str | None = None) -> None:
        self.events.append(added)
        self.text = f"{self.text},{text or encode(added)}"


class _Unknown(Exception):
    pass


def _started(instance: Instance, at: str) -> Event:
    parent = None
    if instance.parent_id is not None:
        parent = {
            "OrchestrationInstance": {
                "InstanceId": instance.parent_id,
                "ExecutionId": instance.parent_execution_id,
            },
            "TaskScheduleId": instance.parent_task_id,
        }
    return event(
        EXECUTION_STARTED,
        at,
        Name=instance.name,
        Version=instance.version,
        Input=instance.input,
        OrchestrationInstance={"InstanceId": instance.instance_id, "ExecutionId": instance.execution_id},
        ParentInstance=parent,
        Tags=None,
    )


def _non_determinism(instance: Instance, found: NonDeterminism) -> str:
    return (
        f"Non-deterministic orchestration: instance '{instance.instance_id}' of orchestrator '{instance.name}' at "
        f"id {found.task_id}: the history holds {found.recorded}, the code now asks for {found.asked}. The code was "
        "changed while the instance ran, or it does not do the same on every replay."
    )


def _unknown_text(name: str, kind: str, known: Collection[str]) -> str:
    listed = ", ".join(f"'{each}'" for each in sorted(known)) or "none"
    return (
        f"The function '{name}' doesn't exist, is disabled, or is not an {kind} function. "
        f"Additional info: The following are the known {kind} functions: {listed}."
    )
