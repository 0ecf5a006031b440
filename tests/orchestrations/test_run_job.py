"""The orchestrator: nothing in it that replays differently, and waits that do not trip over each other."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_host.durable.engine import Engine
from local_host.durable.hub import Instance, TaskHub
from mayfly.jobs.next_step import NextStep
from mayfly.orchestrators import ORCHESTRATION
from orchestrations import run_job as module
from tests.engine_work import run_until_idle
from tests.triggers.function_host import functions
from tests.virtual_clock import VirtualClock

_SOURCE = Path(module.__file__)

_IMPORTS = {"collections.abc", "typing", "azure.durable_functions", "mayfly.jobs.next_step", "mayfly.orchestrators"}
"""Of types, of pure functions and of constants. Source: durable-functions-code-constraints."""
_ATTRIBUTES = {"now", "utcnow", "today", "time", "sleep", "uuid4", "random", "environ", "getenv", "open", "new_guid"}
_NAMES = {"open", "print", "input", "exec", "eval", "id", "hash", "set", "frozenset", "globals", "__import__"}


def _tree() -> ast.Module:
    return ast.parse(_SOURCE.read_text())


def test_the_orchestrator_imports_nothing_that_reads_the_world() -> None:
    imported = set()
    for node in ast.walk(_tree()):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    assert imported <= _IMPORTS


def test_the_orchestrator_uses_no_clock_chance_environment_or_unordered_set() -> None:
    for node in ast.walk(_tree()):
        if isinstance(node, ast.Attribute):
            assert node.attr not in _ATTRIBUTES, f"line {node.lineno}: .{node.attr} differs between replays"
        elif isinstance(node, ast.Name):
            assert node.id not in _NAMES, f"line {node.lineno}: {node.id} differs between replays"
        assert not isinstance(node, ast.Global | ast.Nonlocal | ast.Set | ast.SetComp)


def test_the_orchestrator_is_a_generator_without_await() -> None:
    for node in ast.walk(_tree()):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)


Answers = Callable[[str, int], dict[str, Any]]


class Driven:
    """`run_job` on the local engine, with activities that answer by script; `driving` makes and closes it."""

    def __init__(self, answers: Answers) -> None:
        self.calls: list[str] = []
        self.clock = VirtualClock()
        self._answers = answers
        self.engine = Engine(
            hub=TaskHub(),
            clock=self.clock,
            orchestrators={ORCHESTRATION: functions()[ORCHESTRATION].get_user_function()},
            activities={name: self._activity(name) for name in ("begin_attempt", "observe_attempt", "end_attempt")},
        )
        self.instance = self.engine.start(ORCHESTRATION, instance_id="ada-abcdefghij")

    def _activity(self, name: str) -> Any:
        async def activity(given: Any) -> dict[str, Any]:
            assert given == "ada-abcdefghij"
            self.calls.append(name)
            return self._answers(name, len(self.calls))

        return activity

    def later(self, seconds: float) -> str:
        return (self.clock.now() + timedelta(seconds=seconds)).isoformat()

    def go(self) -> None:
        asyncio.run(run_until_idle(self.engine))

    def advance(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        self.go()

    def wake(self, event: str) -> None:
        self.engine.raise_event(self.instance, event, "null")
        self.go()

    @property
    def status(self) -> str:
        return self.instance_now.status

    @property
    def instance_now(self) -> Instance:
        found = self.engine.status(self.instance)
        assert found is not None
        return found


Driving = Callable[[Answers], Driven]


@pytest.fixture
def driving() -> Iterator[Driving]:
    """Drive the orchestrator; the task hub is closed after the test."""
    with ExitStack() as stack:

        def drive(answers: Answers) -> Driven:
            driven = Driven(answers)
            stack.callback(driven.engine.hub.close)
            return driven

        yield drive


def _step(do: str, at: str | None = None, *wake: str) -> dict[str, Any]:
    return {"do": do, "at": at, "wake": list(wake)}


def test_a_job_without_trouble_is_begun_woken_and_ended(driving: Driving) -> None:
    def answers(name: str, count: int) -> dict[str, Any]:
        if name == "begin_attempt":
            return _step("observe_attempt", driven.later(30), "attempt-1-ended", "cancel-requested")
        return _step("done")

    driven = driving(answers)
    driven.go()
    assert driven.calls == ["begin_attempt"]
    driven.wake("attempt-1-ended")
    assert driven.calls == ["begin_attempt", "end_attempt"]
    assert driven.status == "Completed"


def test_without_an_event_the_next_poll_comes_when_it_is_due(driving: Driving) -> None:
    """I6."""

    def answers(name: str, count: int) -> dict[str, Any]:
        return _step("done") if count == 3 else _step("observe_attempt", driven.later(30), "attempt-1-ended")

    driven = driving(answers)
    driven.go()
    driven.advance(29)
    assert driven.calls == ["begin_attempt"]
    driven.advance(1)
    assert driven.calls == ["begin_attempt", "observe_attempt"]
    driven.advance(30)
    assert driven.status == "Completed"


def test_a_handled_event_does_not_end_the_next_wait_early(driving: Driving) -> None:
    """One wait per event name: the SDK keeps one slot per name and never clears it."""

    def answers(name: str, count: int) -> dict[str, Any]:
        return _step("done") if count == 4 else _step("observe_attempt", driven.later(30), "cancel-requested", "x")

    driven = driving(answers)
    driven.go()
    driven.wake("cancel-requested")
    assert driven.calls == ["begin_attempt", "end_attempt"]
    driven.go()
    assert driven.calls == ["begin_attempt", "end_attempt"], "it waits for its time again"
    driven.advance(30)
    assert driven.calls == ["begin_attempt", "end_attempt", "observe_attempt"]
    driven.wake("x")
    assert driven.status == "Completed"


def test_an_event_before_its_wait_is_handled(driving: Driving) -> None:
    def answers(name: str, count: int) -> dict[str, Any]:
        if name == "begin_attempt":
            driven.engine.raise_event(driven.instance, "attempt-1-ended", "null")
            return _step("observe_attempt", driven.later(30), "attempt-1-ended")
        return _step("done")

    driven = driving(answers)
    driven.go()
    assert driven.calls == ["begin_attempt", "end_attempt"]
    assert driven.status == "Completed"


def test_an_event_before_its_wait_ends_only_one_wait_early(driving: Driving) -> None:
    """The SDK hands an early event to every later wait for its name, so there must be one wait for each name."""

    def answers(name: str, count: int) -> dict[str, Any]:
        if name == "begin_attempt":
            driven.engine.raise_event(driven.instance, "attempt-1-ended", "null")
        return _step("done") if count == 3 else _step("observe_attempt", driven.later(30), "attempt-1-ended")

    driven = driving(answers)
    driven.go()
    assert driven.calls == ["begin_attempt", "end_attempt"]
    driven.advance(30)
    assert driven.calls == ["begin_attempt", "end_attempt", "observe_attempt"]


def test_the_history_is_dropped_after_twenty_steps_and_the_job_continues(driving: Driving) -> None:
    steps = module.STEPS_PER_GENERATION

    def answers(name: str, count: int) -> dict[str, Any]:
        return _step("done") if count == 2 * steps + 3 else _step("observe_attempt")

    driven = driving(answers)
    driven.go()
    assert driven.status == "Completed"
    begins = [number for number, name in enumerate(driven.calls) if name == "begin_attempt"]
    assert begins == [0, steps, 2 * steps], "each generation starts from the log"


def test_a_generation_that_ends_leaves_no_timer_behind(driving: Driving) -> None:
    def answers(name: str, count: int) -> dict[str, Any]:
        return _step("done") if name == "end_attempt" else _step("observe_attempt", driven.later(3_600), "x")

    driven = driving(answers)
    driven.go()
    driven.wake("x")
    assert driven.status == "Completed"
    assert driven.engine.next_due() is None


def test_the_status_shows_the_next_step_and_its_time(driving: Driving) -> None:
    def answers(name: str, count: int) -> dict[str, Any]:
        return _step("observe_attempt", "2026-01-01T00:00:30+00:00", "x")

    driven = driving(answers)
    driven.go()
    told = driven.instance_now.custom_status
    assert told is not None
    assert "observe_attempt" in told
    assert "2026-01-01T00:00:30+00:00" in told


@pytest.mark.parametrize("crash", [True, False])
def test_replayed_from_the_stored_history_it_takes_the_same_steps(crash: bool, driving: Driving) -> None:
    """A second engine on the same hub is a host that was killed and restarted."""

    def answers(name: str, count: int) -> dict[str, Any]:
        return _step("done") if count == 6 else _step("observe_attempt", driven.later(10), "x")

    driven = driving(answers)
    driven.go()
    for _ in range(5):
        if crash:
            old = driven.engine
            driven.engine = Engine(
                hub=old.hub,
                clock=driven.clock,
                orchestrators={ORCHESTRATION: functions()[ORCHESTRATION].get_user_function()},
                activities={n: driven._activity(n) for n in ("begin_attempt", "observe_attempt", "end_attempt")},
            )
        driven.advance(10)
    assert driven.calls == ["begin_attempt", *["observe_attempt"] * 5]
    assert driven.status == "Completed"


class _Task:
    """A task of version 1 of the SDK."""

    def __init__(self) -> None:
        self.done = False
        self.canceled = False

    @property
    def is_completed(self) -> bool:
        return self.done

    def cancel(self) -> None:
        self.canceled = True


class _TaskOfVersion2:
    """A task of version 2 of the SDK: `durabletask.task.TimerTask`."""

    def __init__(self) -> None:
        self.done = False
        self.canceled = False

    @property
    def is_complete(self) -> bool:
        return self.done

    def cancel(self) -> bool:
        self.canceled = True
        return True


class _Context:
    """As much of the context as waiting takes; `task_any` gives its tasks, of which the test completes one."""

    def __init__(self, kind: type[_Task | _TaskOfVersion2]) -> None:
        self._kind = kind

    def wait_for_external_event(self, name: str) -> Any:
        return self._kind()

    def create_timer(self, due: datetime) -> Any:
        return self._kind()

    def task_any(self, tasks: list[Any]) -> list[Any]:
        return tasks


_DUE = NextStep(activity="observe_attempt", due_at=datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC), wake_events=("x",))


def _woken(kind: type[_Task | _TaskOfVersion2], complete: int, events: dict[str, Any]) -> tuple[bool, Any]:
    """Complete one of the tasks that are waited for; return whether the event came first, and the timer."""
    wait = module._wait(_Context(kind), _DUE, events)
    tasks: list[Any] = next(wait)
    tasks[complete].done = True
    with pytest.raises(StopIteration) as ended:
        wait.send(tasks[complete])
    return ended.value.value, tasks[-1]


@pytest.mark.parametrize("kind", [_Task, _TaskOfVersion2])
def test_tasks_of_both_versions_of_the_sdk_are_awaited(kind: type[_Task | _TaskOfVersion2]) -> None:
    events: dict[str, Any] = {}
    woken, timer = _woken(kind, -1, events)
    assert (woken, timer.canceled) == (False, False)
    woken, timer = _woken(kind, 0, events)
    assert (woken, timer.canceled) == (True, True)
    assert events == {"x": None}, "the event was heeded"


@pytest.mark.parametrize("kind", [_Task, _TaskOfVersion2])
def test_a_task_of_either_version_that_is_done_ends_the_wait_before_it_begins(
    kind: type[_Task | _TaskOfVersion2],
) -> None:
    came = kind()
    came.done = True
    wait = module._wait(_Context(kind), _DUE, {"x": came})
    with pytest.raises(StopIteration) as ended:
        next(wait)
    assert ended.value.value is True
