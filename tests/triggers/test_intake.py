"""Jobs from Service Bus, through the function as the host calls it, with messages as the SDK's converter makes them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import azure.functions as func
import pytest
from azure.functions.meta import Datum
from azure.functions.servicebus import ServiceBusMessageInConverter

from mayfly.errors import TryAgain
from mayfly.jobs.names import job_id_for
from mayfly.use_cases import submit_message
from mayfly.use_cases.submit_message import MessageRejected
from mayfly.validation import BODY_BYTES_MAX
from tests.triggers.function_host import CLIENT_BINDING, FunctionHost, run


def message(
    body: bytes, *, message_id: str | None = "order-17", content_type: str | None = None, sequence: int = 1
) -> func.ServiceBusMessage:
    metadata = {
        "MessageId": Datum(message_id, None if message_id is None else "string"),
        "ContentType": Datum(content_type, None if content_type is None else "string"),
        "DeliveryCount": Datum(1, "int"),
        "SequenceNumber": Datum(sequence, "int"),
        "UserProperties": Datum("{}", "json"),
    }
    return ServiceBusMessageInConverter.decode(Datum(body, "bytes"), trigger_metadata=metadata)


def take(api: FunctionHost, body: bytes, **rest: Any) -> None:
    run(api.composed.runner, "take_message", message=message(body, **rest), client=CLIENT_BINDING)


def refused(api: FunctionHost, body: bytes, **rest: Any) -> str:
    """Deliver a message twice, and return the one reason that is written down."""
    for _ in range(2):
        with pytest.raises(MessageRejected):
            take(api, body, **rest)
    (refusal,) = api.call("GET", "intake").json["refusals"]
    assert refusal["body_bytes"] == len(body)
    assert refusal["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert refusal["queue"] == "jobs"
    assert api.composed.whole_log() == []
    reason: str = refusal["reason"]
    return reason


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"hash me", None, {"message": "hash me"}),
        (b"\xef\xbb\xbfwith a mark", None, {"message": "with a mark"}),
        (b'{"command": ["true"], "name": "x"}', None, {"command": ["true"], "name": "x"}),
        (b'{"message": "a"}', "application/json; charset=utf-8", {"message": "a"}),
        (b'{"just": "text"}', "text/plain", {"message": '{"just": "text"}'}),
    ],
    ids=str,
)
def test_a_message_becomes_a_job(
    api: FunctionHost, body: bytes, content_type: str | None, expected: dict[str, Any]
) -> None:
    take(api, body, content_type=content_type)
    job = api.composed.job(job_id_for(seed=b"order-17"))
    assert job.source == "queue"
    assert job.idempotency_key == "order-17"
    assert json.loads(job.spec.model_dump_json(include=set(expected))) == expected
    assert api.durable.statuses == {job.job_id: "Running"}


def test_a_message_delivered_again_is_one_job(api: FunctionHost) -> None:
    for _ in range(3):
        take(api, b"hash me")
    assert len(api.composed.whole_log()) == 1
    take(api, b"hash me", message_id="order-18")
    assert len(api.composed.whole_log()) == 2


def test_without_an_id_the_sequence_number_identifies_a_message(api: FunctionHost) -> None:
    for sequence in (1, 1, 2):
        take(api, b"hash me", message_id=None, sequence=sequence)
    assert len(api.composed.whole_log()) == 2


@pytest.mark.parametrize(
    ("body", "content_type", "fix"),
    [
        (b"\xff\xfe\x00", None, "body: must be UTF-8 text (byte 0 is not valid)"),
        (b"x" * (BODY_BYTES_MAX + 1), None, f"must be at most {BODY_BYTES_MAX} bytes (got {BODY_BYTES_MAX + 1})"),
        (b"x" * 40_000, None, "message: must have at most 32768 characters (got 40000)"),
        (b" \n ", None, "body: must be text or a job spec"),
        (b"", None, "body: must be text or a job spec"),
        (b'{"comand": ["true"]}', None, "did you mean `command`?"),
        (b'{"cpu": 64, "command": ["true"]}', None, "cpu: must be between 0.1 and 31 (got 64)"),
        (b'{"broken', None, "body: must be JSON in UTF-8"),
        (b"plain", "application/json", "body: must be JSON in UTF-8"),
        (b"[1]", "application/json", "body: must be a JSON object"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_invalid_message_is_rejected_each_time_and_recorded_once(
    api: FunctionHost, body: bytes, content_type: str | None, fix: str
) -> None:
    assert fix in refused(api, body, content_type=content_type)


def test_the_same_id_with_a_different_text_is_rejected(api: FunctionHost) -> None:
    take(api, b"hash me")
    with pytest.raises(MessageRejected, match=r"was used for .* with a different spec"):
        take(api, b"hash something else")
    assert len(api.composed.whole_log()) == 1


def test_no_part_of_a_rejected_text_is_recorded(api: FunctionHost) -> None:
    assert "hunter2" not in refused(api, b'{"command": ["true"], "env": {"PASSWORD": "hunter2"}, "cpu": 99}')


def test_stores_unavailable_for_a_minute_do_not_fail_a_message(
    api: FunctionHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    append = api.composed.mayfly.log.append

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def away(*arguments: Any, **named: Any) -> None:
        if len(pauses) < 5:
            raise TryAgain("the log is away")
        await append(*arguments, **named)

    monkeypatch.setattr(api.composed.mayfly.log, "append", away)
    text = submit_message.Message(queue="jobs", message_id="order-17", body=b"hash me", content_type=None)
    orchestrators = api.composed.orchestrators
    api.composed.runner.run(submit_message.submit_message(api.composed.mayfly, orchestrators, text, sleep=sleep))
    assert pauses == list(submit_message.PAUSES_S[:5])
    assert len(api.composed.whole_log()) == 1


def test_stores_that_stay_unavailable_leave_the_message_to_the_queue(
    api: FunctionHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(_: float) -> None: ...

    async def away(*_: Any, **__: Any) -> None:
        raise TryAgain("the log is away")

    monkeypatch.setattr(api.composed.mayfly.log, "append", away)
    text = submit_message.Message(queue="jobs", message_id="order-17", body=b"hash me", content_type=None)
    with pytest.raises(TryAgain):
        api.composed.runner.run(
            submit_message.submit_message(api.composed.mayfly, api.composed.orchestrators, text, sleep=sleep)
        )
    assert api.call("GET", "intake").json == {"refusals": []}
