"""Given the history and the actions that the code requests, what happens next?

Pure. In every episode the SDK returns *all* actions since the execution started, without ids. This module walks the
actions along the history in the order of events, and gives each action the id that the durable extension would give it.
An action whose id is not in the history is new. The rules:

1. Ids come from one counter that starts at 0. Activities, sub-orchestrations and timers (even canceled ones) take an
   id; waits for events, `WhenAny`, `WhenAll` and continue-as-new do not.
2. Actions are awaited one at a time. Compound actions register all their children at once.
3. A retried action takes ids as it fails: attempt, timer, attempt, timer; after the last failure one more timer.
4. An event that arrives before its wait is kept. Kept events are delivered first in, first out, per name, ignoring
   case. If several waits match an event, the newest gets it.
5. If an action's id is in the history, the action must match the recorded one, and the code must request every recorded
   action again. Otherwise the code changed under a running instance: `NonDeterminism`.
6. The instance ends when all actions have been walked and nothing scheduled is open. A canceled timer is not open.

Source: Azure/azure-functions-durable-extension; OutOfProcOrchestrationShim.cs of the durable extension.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local_host.durable.history import COMPLETING, SCHEDULING, Event, EventType, parse_stamp
from local_host.durable.orchestrator_call import OrchestratorResult


@dataclass(frozen=True, kw_only=True, slots=True)
class NewActivity:
    """An activity to schedule. Shapes: `input_text` is JSON text as the SDK encoded it, `None` for no input."""

    task_id: int
    name: str
    input_text: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTimer:
    """A timer to schedule. Units: `fire_at` is in UTC."""

    task_id: int
    fire_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSubOrchestration:
    """A sub-orchestration to start.

    Shapes: an `instance_id` of `None` lets the engine choose one. `input_text` is JSON text, `None` for no input. A
    `version` of `None` means the app's default.
    """

    task_id: int
    name: str
    instance_id: str | None
    input_text: str | None
    version: str | None


@dataclass(kw_only=True, slots=True)
class Decision:
    """The events to append to the history, and the work to dispatch.

    Shapes: `scheduled` holds the actions that the history does not have yet, in id order. `cancelled_timers` are the
    ids of all timers that the code canceled in this execution, dispatched or not. `ended` is set if all actions were
    walked, the code returned or raised, and nothing is open. `continue_as_new` implies `ended`. `unread` are the raised
    events that no wait took, oldest first; they carry over if the instance continues as new.
    """

    scheduled: list[NewActivity | NewTimer | NewSubOrchestration] = field(default_factory=list)
    cancelled_timers: list[int] = field(default_factory=list)
    unread: list[Event] = field(default_factory=list)
    next_id: int = 0
    ended: bool = False
    continue_as_new: bool = False
    continue_input: str | None = None


class NonDeterminism(Exception):
    """The code requests a different action than the history records."""

    def __init__(self, *, task_id: int, recorded: str, requested: str) -> None:
        self.task_id = task_id
        self.recorded = recorded
        self.requested = requested
        super().__init__(f"task id {task_id}: the history records {recorded}, but the code now requests {requested}")


class UnsupportedAction(Exception):
    """The code uses an action that this host does not support."""


def decide(history: Iterable[Event], result: OrchestratorResult, *, now: datetime) -> Decision:
    """Walk the actions of a result along the history, which ends with the new events of this episode.

    Errors: `NonDeterminism` and `UnsupportedAction`; then none of the actions may be carried out.
    """
    return _Walk(list(history), result.actions, now).decide(result)


class _Node:
    """Something awaited. `done` never becomes false again."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False

    def is_done(self) -> bool:
        return self.done


class _Compound(_Node):
    """Several nodes awaited at once. Waiting for nothing is done; the SDK drops such a wait too."""

    __slots__ = ("children", "enough")

    def __init__(self, children: list[_Node], enough: Callable[[Iterable[bool]], bool]) -> None:
        super().__init__()
        self.children = children
        self.enough = enough

    def is_done(self) -> bool:
        return not self.children or self.enough(child.is_done() for child in self.children)


class _Retried(_Node):
    """An activity or sub-orchestration with a retry policy; one of its attempts or delays is open."""

    __slots__ = ("action", "attempts", "delaying")

    def __init__(self, action: dict[str, Any]) -> None:
        super().__init__()
        self.action = action
        self.attempts = 1
        self.delaying = False


class _Walk:
    def __init__(self, history: list[Event], actions: list[dict[str, Any]], now: datetime) -> None:
        self._history = history
        self._actions = actions
        self._now = now
        self._cursor = 0
        self._blocked_on: _Node | None = None
        self._recorded = {event["EventId"]: event for event in history if event["EventType"] in SCHEDULING}
        self._open: dict[int, _Node] = {}
        self._waits: dict[str, list[_Node]] = {}
        self._kept: dict[str, deque[Event]] = {}
        self._decision = Decision()

    def decide(self, result: OrchestratorResult) -> Decision:
        for event in self._history:
            self._happen(event)
        if self._recorded:
            task_id = min(self._recorded)
            recorded = _describe(self._recorded[task_id])
            raise NonDeterminism(task_id=task_id, recorded=recorded, requested="nothing")
        decision = self._decision
        all_walked = self._blocked_on is None and self._cursor == len(self._actions)
        if all_walked and not self._open:
            decision.ended = result.is_done or result.error is not None
        decision.continue_as_new = decision.continue_as_new and decision.ended and result.error is None
        if decision.continue_as_new:
            left = {id(event) for kept in self._kept.values() for event in kept}
            decision.unread = [event for event in self._history if id(event) in left]
        return decision

    def _happen(self, event: Event) -> None:
        kind = event["EventType"]
        if kind in COMPLETING:
            self._finish(event[COMPLETING[kind]], failed=kind in _FAILING)
        elif kind == _EVENT_RAISED:
            self._raise(event)
        elif kind != _EXECUTION_STARTED:
            return
        if self._blocked_on is None or self._blocked_on.is_done():
            self._advance()

    def _advance(self) -> None:
        self._blocked_on = None
        while self._cursor < len(self._actions):
            node = self._register(self._actions[self._cursor])
            self._cursor += 1
            if node is not None and not node.is_done():
                self._blocked_on = node
                return

    def _finish(self, task_id: int, *, failed: bool) -> None:
        node = self._open.pop(task_id, None)
        if node is None:
            return  # a canceled timer that fired anyway, or a duplicate completion
        if not isinstance(node, _Retried):
            node.done = True
        elif node.delaying:
            node.delaying = False
            if node.attempts < node.action["retryOptions"]["maxNumberOfAttempts"]:
                node.attempts += 1
                self._open[self._attempt(node.action)] = node
            else:
                node.done = True
        elif failed:
            node.delaying = True
            options = node.action["retryOptions"]
            is_last = node.attempts >= options["maxNumberOfAttempts"]
            delay = timedelta(milliseconds=0 if is_last else options["firstRetryIntervalInMilliseconds"])
            self._open[self._timer(self._now + delay)] = node
        else:
            node.done = True

    def _raise(self, event: Event) -> None:
        name = event["Name"].casefold()
        waits = self._waits.get(name)
        if waits:
            waits.pop().done = True
        else:
            self._kept.setdefault(name, deque()).append(event)

    def _register(self, action: dict[str, Any]) -> _Node | None:
        kind = action["actionType"]
        if kind in _CALLS:
            node = _Retried(action) if kind in _CALLS_WITH_RETRY else _Node()
            self._open[self._attempt(action)] = node
            return node
        if kind == _CREATE_TIMER:
            return self._register_timer(action)
        if kind == _WAIT_FOR_EVENT:
            return self._register_wait(action["externalEventName"])
        if kind in _COMPOUNDS:
            children = [self._register(child) for child in action["compoundActions"]]
            return _Compound([child for child in children if child is not None], any if kind == _WHEN_ANY else all)
        if kind == _CONTINUE_AS_NEW:
            self._decision.continue_as_new = True
            self._decision.continue_input = action.get("input")
            return None
        name = _UNSUPPORTED.get(kind, f"action type {kind}")
        raise UnsupportedAction(f"{name} is not supported by the local host")

    def _register_timer(self, action: dict[str, Any]) -> _Node:
        node = _Node()
        task_id = self._timer(parse_stamp(action["fireAt"]), cancelled=action["isCanceled"])
        if action["isCanceled"]:
            # The extension awaits it with a token that is already canceled, so a wait for it ends at once. This
            # matters if the code waits again for an event that it waited for before: the SDK lists it only once.
            self._decision.cancelled_timers.append(task_id)
            node.done = True
        else:
            self._open[task_id] = node
        return node

    def _register_wait(self, name: str) -> _Node:
        node = _Node()
        key = name.casefold()
        kept = self._kept.get(key)
        if kept:
            kept.popleft()
            node.done = True
        else:
            self._waits.setdefault(key, []).append(node)
        return node

    def _attempt(self, action: dict[str, Any]) -> int:
        """Schedule an activity or sub-orchestration, or find it in the history; return its id."""
        task_id = self._take_id()
        name = action["functionName"]
        is_activity = action["actionType"] in _ACTIVITY_CALLS
        recorded = self._recorded.pop(task_id, None)
        if recorded is not None:
            kind = _TASK_SCHEDULED if is_activity else _SUB_ORCHESTRATION_CREATED
            if recorded["EventType"] != kind or recorded["Name"] != name:
                requested = f"{_KIND_WORDS[kind]} '{name}'"
                raise NonDeterminism(task_id=task_id, recorded=_describe(recorded), requested=requested)
        elif is_activity:
            self._decision.scheduled.append(NewActivity(task_id=task_id, name=name, input_text=action.get("input")))
        else:
            self._decision.scheduled.append(
                NewSubOrchestration(
                    task_id=task_id,
                    name=name,
                    instance_id=action.get("instanceId"),
                    input_text=action.get("input"),
                    version=action.get("version"),
                )
            )
        return task_id

    def _timer(self, fire_at: datetime, *, cancelled: bool = False) -> int:
        task_id = self._take_id()
        recorded = self._recorded.pop(task_id, None)
        if recorded is None:
            self._decision.scheduled.append(NewTimer(task_id=task_id, fire_at=fire_at))
        elif recorded["EventType"] != _TIMER_CREATED:
            requested = "a canceled timer" if cancelled else "a timer"
            raise NonDeterminism(task_id=task_id, recorded=_describe(recorded), requested=requested)
        return task_id

    def _take_id(self) -> int:
        task_id = self._decision.next_id
        self._decision.next_id += 1
        return task_id


_CALL_ACTIVITY = 0
_CALL_ACTIVITY_WITH_RETRY = 1
_CALL_SUB_ORCHESTRATION = 2
_CALL_SUB_ORCHESTRATION_WITH_RETRY = 3
_CONTINUE_AS_NEW = 4
_CREATE_TIMER = 5
_WAIT_FOR_EVENT = 6
_WHEN_ANY = 11
_WHEN_ALL = 12

_ACTIVITY_CALLS = frozenset({_CALL_ACTIVITY, _CALL_ACTIVITY_WITH_RETRY})
_CALLS_WITH_RETRY = frozenset({_CALL_ACTIVITY_WITH_RETRY, _CALL_SUB_ORCHESTRATION_WITH_RETRY})
_CALLS = _ACTIVITY_CALLS | _CALLS_WITH_RETRY | {_CALL_SUB_ORCHESTRATION}
_COMPOUNDS = frozenset({_WHEN_ANY, _WHEN_ALL})

# Looking up the member of an enum is slow on Python 3.11, and a replay compares each event with several of them.
_EXECUTION_STARTED = EventType.EXECUTION_STARTED
_TASK_SCHEDULED = EventType.TASK_SCHEDULED
_SUB_ORCHESTRATION_CREATED = EventType.SUB_ORCHESTRATION_INSTANCE_CREATED
_TIMER_CREATED = EventType.TIMER_CREATED
_EVENT_RAISED = EventType.EVENT_RAISED
_FAILING = frozenset({EventType.TASK_FAILED, EventType.SUB_ORCHESTRATION_INSTANCE_FAILED})

_UNSUPPORTED = {
    7: "call_entity (durable entities)",
    8: "call_http (durable HTTP)",
    9: "signal_entity (durable entities)",
    10: "scheduled signal_entity (durable entities)",
}

_KIND_WORDS = {
    EventType.TASK_SCHEDULED: "activity",
    EventType.SUB_ORCHESTRATION_INSTANCE_CREATED: "sub-orchestration",
    EventType.TIMER_CREATED: "a timer",
    EventType.EVENT_SENT: "a sent event",
}


def _describe(event: Event) -> str:
    words = _KIND_WORDS[event["EventType"]]
    name = event.get("Name")
    return f"{words} '{name}'" if name else words
