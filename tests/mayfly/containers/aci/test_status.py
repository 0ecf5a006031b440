"""Every state of an Azure container group, translated row by row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from mayfly.containers.aci.status import PULL_PATIENCE_S, GroupEvent, GroupSnapshot, status_of

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


FACTS = GroupSnapshot(
    group="g",
    provisioning="Succeeded",
    state="Running",
    container="Running",
    container_detail="",
    started_at=NOW,
    exited_at=None,
    exit_code=None,
    restarts=0,
    previous_exit_code=None,
    previous_started_at=None,
    previous_exited_at=None,
)


WAITING = replace(FACTS, provisioning="Pending", state="Pending", container="Waiting", started_at=None)


def seen(facts: GroupSnapshot) -> tuple[str, int | None, str | None]:
    status = status_of(facts, now=NOW)
    return status.phase, status.exit_code, status.refusal.kind if status.refusal is not None else None


@dataclass(frozen=True)
class _Line:
    facts: GroupSnapshot
    phase: str
    exit_code: int | None = None
    refusal: str | None = None


def _pull(age_s: float) -> GroupSnapshot:
    event = GroupEvent(
        name="BackOff", message="Back-off pulling image", count=4, first_at=NOW - timedelta(seconds=age_s), last_at=NOW
    )
    return replace(WAITING, events=(event,))


_STATES = {
    "nothing is shown yet": _Line(replace(WAITING, container="", state=""), "pending"),
    "waiting": _Line(WAITING, "pending"),
    "running": _Line(FACTS, "running"),
    "ended": _Line(replace(FACTS, container="Terminated", exit_code=3, state="Failed"), "exited", 3),
    "ended, and provisioning says Failed": _Line(
        replace(FACTS, container="Terminated", exit_code=0, provisioning="Failed"), "exited", 0
    ),
    "ended without a code": _Line(replace(FACTS, container="Terminated"), "exited"),
    "ended by maintenance": _Line(replace(FACTS, container="Terminated", exit_code=7147), "exited"),
    "started again after a failure": _Line(replace(FACTS, restarts=1, previous_exit_code=2), "exited", 2),
    "started again after maintenance": _Line(replace(FACTS, restarts=2, previous_exit_code=7148), "exited"),
    "stopped from outside": _Line(replace(FACTS, container="", state="Stopped"), "exited"),
    "unhealthy while it runs": _Line(replace(FACTS, provisioning="Unhealthy"), "running"),
    "being moved while it ran": _Line(replace(FACTS, provisioning="Repairing"), "exited"),
    "being moved before it ran": _Line(replace(WAITING, provisioning="Repairing"), "pending", refusal="retry"),
    "failed without a word": _Line(replace(WAITING, provisioning="Failed"), "pending", refusal="retry"),
    "an image that is tried for a minute": _Line(_pull(60), "pending"),
    "an image that is tried too long": _Line(_pull(PULL_PATIENCE_S), "pending", refusal="permanent"),
}


@pytest.mark.parametrize("name", _STATES)
def test_a_state_of_azure_is_translated(name: str) -> None:
    line = _STATES[name]
    assert seen(line.facts) == (line.phase, line.exit_code, line.refusal)


def test_the_pull_of_the_image_began_with_its_first_event() -> None:
    events = [
        GroupEvent(name=name, message="", count=1, first_at=NOW - timedelta(seconds=age_s), last_at=NOW)
        for name, age_s in (("Pulling", 9), ("Pulled", 3), ("Started", 2))
    ]
    status = status_of(replace(FACTS, events=tuple(events)), now=NOW)
    assert status.pulling_at == NOW - timedelta(seconds=9)
    assert status_of(FACTS, now=NOW).pulling_at is None


def test_a_restart_and_its_cause_are_shown() -> None:
    detail = status_of(replace(FACTS, restarts=1, previous_exit_code=7147), now=NOW).detail
    assert "restarted it (1x)" in detail
    assert "maintenance" in detail
