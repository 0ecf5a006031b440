"""The activities: what a store's silence and a job that is not there become for the orchestrator."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from mayfly import composition
from mayfly.errors import TryAgain
from mayfly.jobs.events import Event
from tests.mayfly.composed import Composed, compose
from tests.mayfly.jobs.samples import T0
from tests.mayfly.log.memory import MemoryEventLog
from tests.triggers.function_host import functions

_ACTIVITIES = ["begin_attempt", "observe_attempt", "end_attempt"]


@pytest.fixture
def composed() -> Iterator[Composed]:
    with asyncio.Runner() as runner:
        composed = compose(runner)
        composition.use(composed.mayfly)
        yield composed
        composition.use(None)
        composed.close()


def _perform(composed: Composed, name: str, job_id: str) -> dict[str, object]:
    step: dict[str, object] = composed.runner.run(functions()[name].get_user_function()(job_id))
    return step


@pytest.mark.parametrize("name", _ACTIVITIES)
def test_a_step_is_plain_json(composed: Composed, name: str) -> None:
    step = _perform(composed, name, composed.submit())
    assert json.loads(json.dumps(step)) == step
    assert set(step) == {"do", "at", "wake"}


@pytest.mark.parametrize("name", _ACTIVITIES)
def test_an_unavailable_log_makes_the_same_activity_due_again(
    composed: Composed, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(self: MemoryEventLog, job_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Event]:
        raise TryAgain("the log is silent")

    job_id = composed.submit()
    monkeypatch.setattr(MemoryEventLog, "read", silent)
    step = _perform(composed, name, job_id)
    assert step == {"do": name, "at": (T0 + timedelta(seconds=5)).isoformat(), "wake": []}


@pytest.mark.parametrize("name", _ACTIVITIES)
def test_a_missing_job_ends_its_orchestrator(composed: Composed, name: str) -> None:
    assert _perform(composed, name, "ada-abcdefghij") == {"do": "done", "at": None, "wake": []}
