"""Queue messages: which are text, which are specs, and how long a store may be unavailable."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mayfly.errors import Rejected, TryAgain
from mayfly.use_cases import submit_message as module
from mayfly.use_cases.submit_message import PAUSES_S, Message, MessageRejected, spec_of, submit_message
from tests.mayfly.composed import Composed


def _message(body: bytes, content_type: str | None = None) -> Message:
    return Message(queue="jobs", message_id="order-17", body=body, content_type=content_type)


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"hash me", None, "hash me"),
        (b"\xef\xbb\xbfhash me", None, "hash me"),
        (b'{"message": "from a spec"}', None, "from a spec"),
        (b'{"message": "from a spec"}', "application/json; charset=utf-8", "from a spec"),
        (b'{"message": "as text"}', "text/plain", '{"message": "as text"}'),
    ],
)
def test_a_message_is_text_or_a_spec(body: bytes, content_type: str | None, text: str) -> None:
    assert spec_of(_message(body, content_type)).message == text


@pytest.mark.parametrize(
    ("body", "content_type"), [(b"", None), (b"\xff", None), (b"[]", "application/json"), (b"{", None)]
)
def test_any_other_message_is_rejected(body: bytes, content_type: str | None) -> None:
    with pytest.raises(Rejected):
        spec_of(_message(body, content_type))


def test_a_store_is_retried_after_every_pause(composed: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(pause_s: float) -> None:
        slept.append(pause_s)

    async def unavailable(*arguments: object, **options: object) -> None:
        raise TryAgain("the log does not answer")

    monkeypatch.setattr(module, "submit", unavailable)
    with pytest.raises(TryAgain):
        composed.runner.run(submit_message(composed.mayfly, composed.orchestrators, _message(b"hi"), sleep=sleep))
    assert slept == list(PAUSES_S)


def test_a_rejection_is_recorded_once_without_the_body(composed: Composed) -> None:
    recorded: Sequence[object] = ()
    for _ in range(2):
        with pytest.raises(MessageRejected):
            composed.runner.run(submit_message(composed.mayfly, composed.orchestrators, _message(b'{"cpu": "pa55"}')))
        recorded = composed.runner.run(composed.mayfly.intake.rejections())
    assert len(recorded) == 1
    assert composed.whole_log() == []
