"""One episode: what does an instance do with its new messages?

An episode takes all messages of one instance, appends them to its history, replays the orchestrator's code, and stores
the consequences: new history, activities, timers, sub-orchestrations, the status, and the result for a parent. The
caller wraps it in one transaction, so an episode happens completely or not at all.

Source: Azure/azure-functions-durable-extension.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from local_host.clock import Clock
from local_host.durable.executions import Execution, ExecutionCache
from local_host.durable.history import COMPLETING, Event, EventType, encode, event, micros, stamp
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
from local_host.durable.orchestrator_call import Orchestrator, OrchestratorResult, call_orchestrator
from local_host.durable.replay import (
    Decision,
    NewActivity,
    NewSubOrchestration,
    NewTimer,
    NonDeterminism,
    UnsupportedAction,
    decide,
)
from local_host.errors import InstanceExists, UnknownFunction

log = logging.getLogger("local_host.durable.episodes")


class Episodes:
    """Runs episodes and starts instances inside the caller's transaction."""

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
        self.executions = ExecutionCache(hub)

    def run(self, key: int) -> None:
        """Run one episode. Without messages do nothing; for a finished instance only delete the messages."""
        messages = self._hub.messages(key)
        if not messages:
            return
        self._hub.delete_messages(key, messages[-1][0])
        execution = self.executions.load(key)
        if execution is None or execution.instance.status in FINISHED:
            return
        episode = _EpisodeState(execution, self._clock.now())
        for _, text in messages:
            self._read(episode, text)
        if len(episode.events) == 1:
            return  # only completions that nothing waits for
        if episode.terminated is not None:
            self._finish(episode, TERMINATED, episode.terminated["Input"])
        elif episode.suspended:
            self._wait(episode, None)
        else:
            self._replay(episode)

    def start(
        self,
        *,
        name: str,
        instance_id: str,
        input_text: str | None,
        version: str | None,
        parent: Instance | None = None,
        parent_task_id: int | None = None,
    ) -> None:
        """Store a new instance and its first message; no instance may have the id."""
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

    def delete(self, instance: Instance) -> None:
        self._hub.delete_instance(instance.key)
        self.executions.forget(instance.key)

    def _read(self, episode: _EpisodeState, text: str) -> None:
        message: Event = json.loads(text)
        kind = message["EventType"]
        if kind in COMPLETING:
            completed_id = message[COMPLETING[kind]]
            if completed_id not in episode.execution.open_ids:
                return
            episode.execution.open_ids.remove(completed_id)
        elif kind == EventType.EXECUTION_TERMINATED:
            episode.terminated = episode.terminated or message
        elif kind == EventType.EXECUTION_SUSPENDED:
            episode.suspended = True
        elif kind == EventType.EXECUTION_RESUMED:
            episode.suspended = False
        episode.add(message, text)

    def _replay(self, episode: _EpisodeState) -> None:
        instance = episode.instance
        orchestrator = self._orchestrators.get(instance.name)
        if orchestrator is None:
            known = ", ".join(f"'{name}'" for name in sorted(self._orchestrators)) or "none"
            self._fail(episode, f"this app has no orchestrator with that name (it has {known})")
            return
        history = episode.text if not episode.execution.text else f"{episode.execution.text},{episode.text}"
        result = call_orchestrator(
            orchestrator,
            history=history,
            input_text=instance.input,
            instance_id=instance.instance_id,
            parent_instance_id=instance.parent_id,
        )
        if result.sdk_error is not None:
            self._fail(episode, result.sdk_error)
            return
        try:
            decision = decide([*episode.execution.events, *episode.events], result, now=episode.now)
            self._require_known(decision)
        except NonDeterminism as error:
            self._fail(episode, _non_determinism(instance, error))
        except (UnsupportedAction, UnknownFunction) as error:
            self._fail(episode, str(error))
        else:
            self._carry_out(episode, result, decision)

    def _require_known(self, decision: Decision) -> None:
        for new in decision.scheduled:
            if isinstance(new, NewActivity) and new.name not in self._activities:
                raise UnknownFunction(new.name, "activity", self._activities)
            if isinstance(new, NewSubOrchestration) and new.name not in self._orchestrators:
                raise UnknownFunction(new.name, "orchestrator", self._orchestrators)

    def _carry_out(self, episode: _EpisodeState, result: OrchestratorResult, decision: Decision) -> None:
        for new in decision.scheduled:
            episode.execution.open_ids.add(new.task_id)
            if isinstance(new, NewActivity):
                episode.record(EventType.TASK_SCHEDULED, new.task_id, Name=new.name, Version="", Input=new.input_text)
                self._hub.add_activity(episode.instance.key, new.task_id, new.name, new.input_text)
            elif isinstance(new, NewTimer):
                episode.record(EventType.TIMER_CREATED, new.task_id, FireAt=stamp(new.fire_at))
                if new.task_id not in decision.cancelled_timers:
                    self._hub.add_timer(episode.instance.key, new.task_id, micros(new.fire_at))
            else:
                self._schedule_sub_orchestration(episode, new)
        for task_id in decision.cancelled_timers:
            if task_id not in episode.execution.cancelled:
                episode.execution.cancelled.add(task_id)
                self._hub.delete_timer(episode.instance.key, task_id)
        if not decision.ended:
            self._wait(episode, result)
        elif decision.continue_as_new:
            self._continue_as_new(episode, result, decision)
        elif result.error is not None:
            self._fail(episode, result.error, result)
        else:
            output = None if result.output is None else encode(result.output)
            self._finish(episode, COMPLETED, output, result, next_id=decision.next_id)

    def _schedule_sub_orchestration(self, episode: _EpisodeState, new: NewSubOrchestration) -> None:
        parent = episode.instance
        # The default id of a sub-orchestration in the Durable Task Framework.
        instance_id = new.instance_id or f"{parent.execution_id}:{new.task_id}"
        input_text = None if new.input_text is None else encode(new.input_text)
        episode.record(
            EventType.SUB_ORCHESTRATION_INSTANCE_CREATED,
            new.task_id,
            Name=new.name,
            Version=new.version or "",
            InstanceId=instance_id,
            Input=input_text,
        )
        taken = self._hub.instance(instance_id)
        if taken is not None and taken.status not in FINISHED:
            reason = str(InstanceExists(taken.status))
            kind = EventType.SUB_ORCHESTRATION_INSTANCE_FAILED
            failed = event(kind, episode.at, TaskScheduledId=new.task_id, Reason=reason, Details=instance_id)
            self._hub.send(parent.key, encode(failed))
            return
        if taken is not None:
            self.delete(taken)
        self.start(
            name=new.name,
            instance_id=instance_id,
            input_text=input_text,
            version=new.version,
            parent=parent,
            parent_task_id=new.task_id,
        )

    def _wait(self, episode: _EpisodeState, result: OrchestratorResult | None) -> None:
        episode.record(EventType.ORCHESTRATOR_COMPLETED)
        self._store(episode, SUSPENDED if episode.suspended else RUNNING, None, result)
        self.executions.append(episode.execution, episode.text, episode.events)

    def _fail(self, episode: _EpisodeState, error: str, result: OrchestratorResult | None = None) -> None:
        instance = episode.instance
        text = f"Orchestrator function '{instance.name}' failed: {error}"
        log.warning("Instance %s failed. %s", instance.instance_id, text)
        self._finish(episode, FAILED, encode(text), result)

    def _finish(
        self,
        episode: _EpisodeState,
        status: str,
        output: str | None,
        result: OrchestratorResult | None = None,
        *,
        next_id: int = -1,
    ) -> None:
        instance = episode.instance
        if status != TERMINATED:
            episode.record(EventType.EXECUTION_COMPLETED, next_id, OrchestrationStatus=status, Result=output)
        episode.record(EventType.ORCHESTRATOR_COMPLETED)
        self._hub.delete_timers(instance.key)
        self._store(episode, status, output, result)
        self.executions.append(episode.execution, episode.text, episode.events)
        self.executions.forget(instance.key)
        self._notify_parent(instance, status, output, episode.at)

    def _continue_as_new(self, episode: _EpisodeState, result: OrchestratorResult, decision: Decision) -> None:
        input_text = None if decision.continue_input is None else encode(decision.continue_input)
        renewed = episode.instance._replace(execution_id=uuid.uuid4().hex, input=input_text)
        episode.execution.instance = renewed
        self._hub.delete_timers(renewed.key)
        self._hub.delete_history(renewed.key)
        self._store(episode, RUNNING, None, result)
        self.executions.forget(renewed.key)
        # This episode took all older messages, so the start of the new execution is first in the inbox.
        for message in (_started(renewed, episode.at), *decision.unread):
            self._hub.send(renewed.key, encode(message))

    def _store(
        self, episode: _EpisodeState, status: str, output: str | None, result: OrchestratorResult | None
    ) -> None:
        instance = episode.instance
        custom_status = instance.custom_status
        if result is not None and result.custom_status is not None:
            custom_status = encode(result.custom_status)
        episode.execution.instance = instance._replace(
            status=status,
            output=output,
            custom_status=custom_status,
            updated_at=micros(episode.now),
            suspended=int(episode.suspended),
        )
        self._hub.update_instance(episode.instance)

    def _notify_parent(self, child: Instance, status: str, output: str | None, at: str) -> None:
        if child.parent_key is None:
            return
        parent = self._hub.instance_by_key(child.parent_key)
        if parent is None or parent.execution_id != child.parent_execution_id or parent.status in FINISHED:
            return
        if status == COMPLETED:
            kind = EventType.SUB_ORCHESTRATION_INSTANCE_COMPLETED
            outcome: dict[str, Any] = {"Result": output or "null"}
        else:
            kind = EventType.SUB_ORCHESTRATION_INSTANCE_FAILED
            details = f"Sub-orchestration '{child.name}' with instance id '{child.instance_id}' is {status}."
            outcome = {"Reason": json.loads(output) if output else status, "Details": details}
        self._hub.send(parent.key, encode(event(kind, at, TaskScheduledId=child.parent_task_id, **outcome)))


class _EpisodeState:
    """The part that one episode adds to the history of an execution, as events and as JSON text."""

    def __init__(self, execution: Execution, now: datetime) -> None:
        self.execution = execution
        self.now = now
        self.at = stamp(now)
        self.suspended = bool(execution.instance.suspended)
        self.terminated: Event | None = None
        self.events = [event(EventType.ORCHESTRATOR_STARTED, self.at)]
        self.text = encode(self.events[0])

    @property
    def instance(self) -> Instance:
        return self.execution.instance

    def record(self, kind: EventType, event_id: int = -1, **fields: Any) -> None:
        self.add(event(kind, self.at, event_id, **fields))

    def add(self, added: Event, text: str | None = None) -> None:
        self.events.append(added)
        self.text = f"{self.text},{text or encode(added)}"


def _started(instance: Instance, at: str) -> Event:
    parent = None
    if instance.parent_id is not None:
        parent = {
            "OrchestrationInstance": {"InstanceId": instance.parent_id, "ExecutionId": instance.parent_execution_id},
            "TaskScheduleId": instance.parent_task_id,
        }
    return event(
        EventType.EXECUTION_STARTED,
        at,
        Name=instance.name,
        Version=instance.version,
        Input=instance.input,
        OrchestrationInstance={"InstanceId": instance.instance_id, "ExecutionId": instance.execution_id},
        ParentInstance=parent,
        Tags=None,
    )


def _non_determinism(instance: Instance, error: NonDeterminism) -> str:
    return (
        f"Non-deterministic orchestration: instance '{instance.instance_id}' of orchestrator '{instance.name}', "
        f"{error}. The code changed while the instance was running, or its replays differ. Restore the code and rewind "
        "the instance, or start a new one."
    )
