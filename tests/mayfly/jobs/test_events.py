"""Stored events: every kind survives a round trip, and old ones can still be read."""

from __future__ import annotations

import dataclasses
import json

import pytest

from mayfly.jobs import events as e
from mayfly.jobs.lifecycle import CONTAINER_FACTS, STATES, STAY, TERMINAL, TRANSITIONS, next_state
from mayfly.jobs.spec import JobSpec
from tests.mayfly.jobs.samples import CLAIM, ONE_OF_EACH, T0, event


def test_there_is_a_sample_of_every_kind() -> None:
    assert [type(body).__name__ for body in ONE_OF_EACH] == list(e.KINDS)


@pytest.mark.parametrize("body", ONE_OF_EACH, ids=lambda body: type(body).__name__)
def test_an_event_reads_back_from_its_document_and_from_its_json(body: e.Body) -> None:
    written = event(body, 7, attempt=2)
    document = e.to_document(written)
    assert e.from_document(json.loads(json.dumps(document))) == written
    assert e.body_from_json(written.type, e.body_to_json(body)) == body
    assert json.loads(e.body_to_json(body)) == document["data"]


@pytest.mark.parametrize("body", ONE_OF_EACH, ids=lambda body: type(body).__name__)
def test_an_old_document_without_the_optional_fields_still_reads(body: e.Body) -> None:
    document = e.body_to_document(body)
    optional = {
        field.name: field.default for field in dataclasses.fields(body) if field.default is not dataclasses.MISSING
    }
    for name in optional:
        del document[name]
    assert e.body_from_document(type(body).__name__, document) == dataclasses.replace(body, **optional)


def test_an_old_spec_without_the_optional_fields_reads_with_their_defaults() -> None:
    body = e.body_from_document("JobSubmitted", {"spec": {"message": "hi"}})
    assert body == e.JobSubmitted(spec=JobSpec(message="hi"))


def test_a_field_of_a_later_version_is_ignored() -> None:
    document = {"claim": CLAIM, "run_deadline": T0.isoformat(), "host_name": "new"}
    assert e.body_from_document("WorkerStarted", document) == e.WorkerStarted(claim=CLAIM, run_deadline=T0)


@pytest.mark.parametrize(
    "body", [body for body in ONE_OF_EACH if dataclasses.fields(body)], ids=lambda b: type(b).__name__
)
def test_a_document_without_a_required_field_does_not_read(body: e.Body) -> None:
    document = e.body_to_document(body)
    required = [field.name for field in dataclasses.fields(body) if field.default is dataclasses.MISSING]
    del document[required[0]]
    with pytest.raises(ValueError, match=required[0]):
        e.body_from_document(type(body).__name__, document)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="'JobTeleported', which this version of Mayfly does not know"):
        e.body_from_document("JobTeleported", {})


@pytest.mark.parametrize("kind", sorted(set(e.KINDS) - {"JobSubmitted"}))
def test_the_lifecycle_has_a_place_for_every_kind(kind: str) -> None:
    assert any(next_state(state, kind) is not None for state in STATES)


def test_the_lifecycle_names_only_known_kinds() -> None:
    named = {kind for row in (*TRANSITIONS.values(), *STAY.values()) for kind in row} | set(CONTAINER_FACTS)
    assert named <= set(e.KINDS)


def test_no_kind_both_changes_a_state_and_keeps_it() -> None:
    for state in STATES:
        moves = {kind for kind, target in TRANSITIONS[state].items() if target != state}
        if state != "starting":
            assert not moves & STAY[state]
        else:
            assert moves & STAY[state] <= {"WorkerStarted"}, "the claim changes the state, which takes precedence"


def test_a_terminal_state_has_no_exit() -> None:
    """I3."""
    for state in TERMINAL:
        assert TRANSITIONS[state] == {}
        assert {next_state(state, kind) for kind in e.KINDS} <= {state, None}


def test_every_state_can_be_reached_and_left_for_an_end() -> None:
    reached = {"queued"}
    for _ in STATES:
        reached |= {target for state in reached for target in TRANSITIONS[state].values()}  # type: ignore[index]
    assert reached == set(STATES)
    for state in set(STATES) - TERMINAL:
        assert "canceled" in TRANSITIONS[state].values()


@pytest.mark.parametrize("kind", sorted(e.KINDS))
def test_every_kind_of_event_has_a_docstring(kind: str) -> None:
    assert e.KINDS[kind].__doc__
    assert not (e.KINDS[kind].__doc__ or "").startswith(f"{kind}("), "dataclasses generated this docstring"
