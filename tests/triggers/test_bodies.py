"""The types of the bodies: events as they are written, and the reason of a cancellation."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from mayfly.jobs.events import Body, Event, to_document
from tests.mayfly.jobs.samples import JOB_ID, ONE_OF_EACH, T0
from triggers import bodies as b

_EVENT: TypeAdapter[object] = TypeAdapter(b.Event)


@pytest.mark.parametrize("body", ONE_OF_EACH, ids=lambda body: type(body).__name__)
def test_an_event_as_it_is_written_is_of_the_type(body: Body) -> None:
    document = to_document(Event(job_id=JOB_ID, position=2, at=T0, attempt=1, source="http", body=body))
    _EVENT.validate_python(document)
    with pytest.raises(ValidationError):
        _EVENT.validate_python({**document, "type": "JobPaused"})


def test_a_reason_is_optional_and_limited() -> None:
    assert b.CancelRequest.model_validate({}).reason is None
    assert b.CancelRequest.model_validate({"reason": "x" * b.REASON_CHARS_MAX}).reason
    with pytest.raises(ValidationError):
        b.CancelRequest.model_validate({"reason": "x" * (b.REASON_CHARS_MAX + 1)})
