"""The tables of the lifecycle: every event has its place, and no transition is missing from the diagram."""

from __future__ import annotations

import pytest

from mayfly.jobs.events import KINDS
from mayfly.jobs.lifecycle import (
    CONTAINER_FACTS,
    OPEN,
    STATES,
    STAY,
    TERMINAL,
    TRANSITIONS,
    JobState,
    diagram,
    next_state,
    page,
)

_MOVES = [(state, kind, target) for state, row in TRANSITIONS.items() for kind, target in row.items()]


def test_every_kind_of_event_may_occur_in_some_state() -> None:
    possible = {kind for state in STATES for kind in KINDS if next_state(state, kind) is not None}
    assert KINDS.keys() - possible == {"JobSubmitted"}


def test_the_tables_name_only_events_that_exist() -> None:
    named = {kind for _, kind, _ in _MOVES} | set().union(*STAY.values()) | CONTAINER_FACTS.keys()
    assert named <= KINDS.keys()


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_no_event_leads_out_of_a_terminal_state(state: JobState) -> None:
    """I3."""
    assert {next_state(state, kind) for kind in KINDS} == {state, None}


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_no_outcome_follows_another(state: JobState) -> None:
    """I3."""
    outcomes = {kind for _, kind, target in _MOVES if target in TERMINAL}
    assert {next_state(state, kind) for kind in outcomes} == {None}


@pytest.mark.parametrize("kind", ["RetryScheduled", "JobSucceeded", "JobFailed", "JobTimedOut", "JobCanceled"])
def test_a_started_job_can_end_or_be_retried_whether_its_worker_runs_or_not(kind: str) -> None:
    targets = {TRANSITIONS[state].get(kind) for state in ("starting", "running")}
    assert len(targets) == 1
    assert targets.isdisjoint({None, "starting", "running"})


def test_every_state_can_be_reached_and_every_open_state_can_end() -> None:
    reached: set[JobState] = {"queued"}
    for _ in STATES:
        reached |= {target for state, _, target in _MOVES if state in reached}
    assert reached == set(STATES)
    assert {state for state, _, target in _MOVES if target in TERMINAL} == OPEN


@pytest.mark.parametrize(("state", "kind", "target"), _MOVES)
def test_the_diagram_has_every_transition(state: JobState, kind: str, target: JobState) -> None:
    (arrow,) = [line for line in diagram().splitlines() if line.strip().startswith(f"{state} --> {target}:")]
    assert kind in arrow.partition(": ")[2].split(", ")


def test_the_page_has_the_diagram_and_the_meaning_of_every_event() -> None:
    assert diagram() in page()
    assert [kind for kind in KINDS if f"| `{kind}` | " not in page()] == []
