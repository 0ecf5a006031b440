"""Given what happened and what the code asks for, what happens next?

Pure. The SDK answers every episode with *all* actions since the start of the generation, without ids. This module walks
those actions along the history in the order in which things happened, gives each the id that the durable extension
would give it, and so finds out which of them are new. The rules:

1. Ids come from one counter that starts at 0. Activities, sub-orchestrations and timers (cancelled ones too) take one;
   waits for events, `WhenAny`, `WhenAll` and continue-as-new take none.
2. Actions are awaited one after the other. Compound actions register all their children at once.
3. A retried action takes ids as it fails: attempt, timer, attempt, timer; after the last failure one more timer.
4. An event that comes before its wait is kept, first in first out, per name without regard to case. An event that finds
   several waits goes to the newest.
5. An action whose id is in the history must be the one recorded there, and all that is recorded must be asked for
   again. Otherwise the code has changed under a running instance: `NonDeterminism`.
6. The instance ends when the walk has come through and nothing scheduled is open. A cancelled timer is not open.

Source: Azure/azure-functions-durable-extension; OutOfProcOrchestrationShim.cs of the durable extension.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local_host.durable.answer import Answer
from local_host.durable.history import (
    EVENT_RAISED,
    EVENT_SENT,
    EXECUTION_STARTED,
    SUB_ORCHESTRATION_COMPLETED,
    SUB_ORCHESTRATION_CREATED,
    SUB_ORCHESTRATION_FAILED,
    TASK_COMPLETED,
    TASK_FAILED,
    TASK_SCHEDULED,
    TIMER_CREATED,
    TIMER_FIRED,
    Event,
    parse_stamp,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewActivity:
    task_id: int
    name: str
    input_text: str | None
    """JSON text, as the SDK encoded it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTimer:
    task_id: int
    fire_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewChild:
    task_id: int
    name: str
    instance_id: str | None
    """`None` lets the engine name it."""
    input_text: str | None
    version: str | None


@dataclass(kw_only=True, slots=True)
class Decision:
    """What to append and dispatch.

    Shapes: `scheduled` holds what the history does not have yet, in id order. `cancelled_timers` are all timers that
    the code has cancelled in this generation, whether they were ever dispatched or not. `continue_as_new` is only set
    together with `ended`. `unread` are the raised events that no wait took, oldest first (they move on when the
    instance continues as new).
    """

    scheduled: list[NewActivity | NewTimer | NewChild] = field(default_factory=list)
    cancelled_timers: list[int] = field(default_factory=list)
    unread: list[Event] = field(default_factory=list)
    next_id: int = 0
    ended: bool = False
    """The walk came through, the code is done or has failed, and nothing is open."""
    continue_as_new: bool = False
    continue_input: str | None = None


class NonDeterminism(Exception):
    """The code asks for something else than what the history holds."""

    def __init__(self, *, task_id: int, recorded: str, asked: str) -> None:
        self.task_id = task_id
        self.recorded = recorded
        self.asked = asked
        super().__init__(f"id {task_id}: the history holds {recorded}, the code now asks for {asked}")


class UnsupportedAction(Exception):
    """The code uses something that this host does not have."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)


def decide(history: Iterable[Event], answer: Answer, *, now: datetime) -> Decision:
    """Walk the answer along the history, which ends with the new events of this episode.

    Errors: `NonDeterminism` and `UnsupportedAction`, in which case nothing of the answer may be carried out.
    """
    walk = _Walk(list(history), answer.actions, now)
    return walk.decide(answer)


class _Node:
    """Something that is awaited. `done` never goes back."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False

    def is_done(self) -> bool:
        return self.done


class _Any(_Node):
    __slots__ = ("children",)

    def __init__(self, children: list[_Node]) -> None:
        super().__init__()
        self.children = children

    def is_done(self) -> bool:
        # Nothing to wait for is done; the SDK drops such a wait itself.
        return not self.children or any(child.is_done() for child in self.children)


class _All(_Any):
    __slots__ = ()

    def is_done(self) -> bool:
        return all(child.is_done() for child in self.children)


class _Retried(_Node):
    """An activity or a sub-orchestration with a retry policy; one of its attempts or its pauses is open."""

    __slots__ = ("action", "attempts", "pausing")

    def __init__(self, action: dict[str, Any]) -> None:
        super().__init__()
        self.action = action
        self.attempts = 1
        self.pausing = False


class _Walk:
    def __init__(self, history: list[Event], actions: list[dict[str, Any]], now: datetime) -> None:
        self._history = history
        self._actions = actions
        self._now = now
        self._cursor = 0
        self._blocked_on: _Node | None = None
        self._recorded = {event["EventId"]: event for event in history if event["EventType"] in _RECORDED_KINDS}
        self._open: dict[int, _Node] = {}
        self._waits: dict[str, list[_Node]] = {}
        self._kept: dict[str, deque[Event]] = {}
        self._decision = Decision()

    def decide(self, answer: Answer) -> Decision:
        for event in self._history:
            self._happen(event)
        self._require_all_recorded()
        decision = self._decision
        came_through = self._blocked_on is None and self._cursor == len(self._actions)
        if came_through and not self._open:
            decision.ended = answer.is_done or answer.error is not None
        decision.continue_as_new = decision.continue_as_new and decision.ended and answer.error is None
        if decision.continue_as_new:
            left = {id(event) for kept in self._kept.values() for event in kept}
            decision.unread = [event for event in self._history if id(event) in left]
        return decision

    def _happen(self, event: Event) -> None:
        kind = event["EventType"]
        if kind in (TASK_COMPLETED, SUB_ORCHESTRATION_COMPLETED):
            self._finish(event["TaskScheduledId"], failed=False)
        elif kind == TIMER_FIRED:
            self._finish(event["TimerId"], failed=False)
        elif kind in (TASK_FAILED, SUB_ORCHESTRATION_FAILED):
            self._finish(event["TaskScheduledId"], failed=True)
        elif kind == EVENT_RAISED:
            self._raise(event)
        elif kind != EXECUTION_STARTED:
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
            return  # a cancelled timer that fired all the same, or a completion that came twice
        if not isinstance(node, _Retried):
            node.done = True
        elif node.pausing:
            node.pausing = False
            if node.attempts < node.action["retryOptions"]["maxNumberOfAttempts"]:
                node.attempts += 1
                self._open[self._attempt(node.action)] = node
            else:
                node.done = True
        elif failed:
            node.pausing = True
            options = node.action["retryOptions"]
            is_last = node.attempts >= options["maxNumberOfAttempts"]
            pause = timedelta(milliseconds=0 if is_last else options["firstRetryIntervalInMilliseconds"])
            self._open[self._timer(self._now + pause)] = node
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
        if kind in (_CALL_ACTIVITY, _CALL_CHILD):
            node = _Node()
            self._open[self._attempt(action)] = node
            return node
        if kind == _CREATE_TIMER:
            return self._register_timer(action)
        if kind == _WAIT_FOR_EVENT:
            return self._register_wait(action["externalEventName"])
        if kind in (_WHEN_ANY, _WHEN_ALL):
            children = [self._register(child) for child in action["compoundActions"]]
            nodes = [child for child in children if child is not None]
            return _Any(nodes) if kind == _WHEN_ANY else _All(nodes)
        if kind in (_CALL_ACTIVITY_WITH_RETRY, _CALL_CHILD_WITH_RETRY):
            retried = _Retried(action)
            self._open[self._attempt(action)] = retried
            return retried
        if kind == _CONTINUE_AS_NEW:
            self._decision.continue_as_new = True
            self._decision.continue_input = action.get("input")
            return None
        raise UnsupportedAction(_UNSUPPORTED.get(kind, f"action type {kind}"))

    def _register_timer(self, action: dict[str, Any]) -> _Node:
        node = _Node()
        task_id = self._timer(parse_stamp(action["fireAt"]), cancelled=action["isCanceled"])
        if action["isCanceled"]:
            # The host awaits it with a token that is cancelled already, so whatever waits for it goes on. It matters
            # where the code waits again for an event that it waited for before: the SDK names the event only once.
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
        """Schedule an activity or a sub-orchestration, or find it in the history; return its id."""
        task_id = self._take_id()
        name = action["functionName"]
        is_activity = action["actionType"] in (_CALL_ACTIVITY, _CALL_ACTIVITY_WITH_RETRY)
        recorded = self._recorded.pop(task_id, None)
        if recorded is not None:
            kind = TASK_SCHEDULED if is_activity else SUB_ORCHESTRATION_CREATED
            if recorded["EventType"] != kind or recorded["Name"] != name:
                asked = f"{_KIND_WORDS[kind]} '{name}'"
                raise NonDeterminism(task_id=task_id, recorded=_describe(recorded), asked=asked)
        elif is_activity:
            self._decision.scheduled.append(NewActivity(task_id=task_id, name=name, input_text=action.get("input")))
        else:
            self._decision.scheduled.append(
                NewChild(
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
        elif recorded["EventType"] != TIMER_CREATED:
            asked = "a timer that is cancelled" if cancelled else "a timer"
            raise NonDeterminism(task_id=task_id, recorded=_describe(recorded), asked=asked)
        return task_id

    def _take_id(self) -> int:
        task_id = self._decision.next_id
        self._decision.next_id += 1
        return task_id

    def _require_all_recorded(self) -> None:
        if self._recorded:
            task_id = min(self._recorded)
            recorded = _describe(self._recorded[task_id])
            raise NonDeterminism(task_id=task_id, recorded=recorded, asked="nothing")


_CALL_ACTIVITY = 0
_CALL_ACTIVITY_WITH_RETRY = 1
_CALL_CHILD = 2
_CALL_CHILD_WITH_RETRY = 3
_CONTINUE_AS_NEW = 4
_CREATE_TIMER = 5
_WAIT_FOR_EVENT = 6
_WHEN_ANY = 11
_WHEN_ALL = 12

_UNSUPPORTED = {
    7: "call_entity (durable entities)",
    8: "call_http (durable HTTP)",
    9: "signal_entity (durable entities)",
    10: "signal_entity at a time (durable entities)",
}

_RECORDED_KINDS = frozenset({TASK_SCHEDULED, SUB_ORCHESTRATION_CREATED, TIMER_CREATED, EVENT_SENT})

_KIND_WORDS = {
    TASK_SCHEDULED: "activity",
    SUB_ORCHESTRATION_CREATED: "sub-orchestration",
    TIMER_CREATED: "a timer",
    EVENT_SENT: "an event sent",
}


def _describe(event: Event) -> str:
    words = _KIND_WORDS[event["EventType"]]
    name = event.get("Name")
    return f"{words} '{name}'" if name else words
