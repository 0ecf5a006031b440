"""Turn a queue message into a job, or record why it is not one.

A message is plain text for the standard worker, or a job spec as JSON. Its id is the idempotency key, so a message that
is delivered again, or sent again with the same id, finds its job. An invalid message is rejected at every delivery,
until the queue moves it to its dead letters; the intake record keeps the first rejection.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from mayfly.app import Mayfly
from mayfly.errors import MayflyError, Rejected, TryAgain
from mayfly.intake.intake_record import REASON_CHARS_MAX, RejectedMessage
from mayfly.jobs.spec import JobSpec
from mayfly.orchestrators import Orchestrators
from mayfly.use_cases.submit import Submission, parse_spec, submit
from mayfly.validation import BODY_BYTES_MAX, parse_object

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Pauses between attempts while a store does not answer: two minutes in total; the queue renews its lock for five.

A failed delivery counts toward the dead letters, and an unavailable store is not the message's fault.
"""

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

_logger = logging.getLogger("mayfly.use_cases.submit_message")


class MessageRejected(MayflyError):
    """The message is not a valid job; the text has the reason. Delivering it again changes nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One delivery of a message."""

    queue: str
    message_id: str
    """The sender's id; `sequence-N` if the sender set none."""
    body: bytes
    content_type: str | None


def spec_of(message: Message) -> JobSpec:
    """Return the job spec in a message.

    Shapes: `application/json` is a spec. Without a content type, text that begins with a brace is a spec as well.
    Everything else is text for the standard worker.
    Errors: `Rejected`, with a `FieldError` for each mistake.
    """
    if len(message.body) > BODY_BYTES_MAX:
        mistake = f"must be at most {BODY_BYTES_MAX} bytes (got {len(message.body)})"
        raise Rejected.of_field("the message is too large", "body", mistake)
    try:
        text = message.body.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        mistake = f"must be UTF-8 text (byte {problem.start} is not valid)"
        raise Rejected.of_field("the message is not text", "body", mistake) from problem
    if not text.strip():
        raise Rejected.of_field("the message is empty", "body", "must be text or a job spec")
    media_type = (message.content_type or "").partition(";")[0].strip().lower()
    if media_type == "application/json" or (not media_type and text.lstrip().startswith("{")):
        return parse_spec(parse_object(text.encode(), content_type="application/json"))
    return parse_spec({"message": text})


async def submit_message(
    mayfly: Mayfly, orchestrators: Orchestrators, message: Message, *, sleep: Sleep = asyncio.sleep
) -> Submission:
    """Submit the job in a message.

    Errors: `MessageRejected`, after the rejection was recorded; `TryAgain` if the stores stay unavailable.
    """
    try:
        spec = spec_of(message)
        call = partial(submit, mayfly, orchestrators, spec, source="queue", idempotency_key=message.message_id)
        return await _with_retries(call, sleep)
    except Rejected as problem:
        rejected = RejectedMessage(
            queue=message.queue,
            message_id=message.message_id,
            at=mayfly.clock.now(),
            reason=str(problem)[:REASON_CHARS_MAX],
            body_bytes=len(message.body),
            body_sha256=hashlib.sha256(message.body).hexdigest(),
        )
        if await _with_retries(lambda: mayfly.intake.record(rejected), sleep):
            _logger.warning("rejected message %r of queue %s: %s", message.message_id, message.queue, rejected.reason)
        raise MessageRejected(rejected.reason) from problem


async def _with_retries(call: Callable[[], Awaitable[T]], sleep: Sleep) -> T:
    for pause in PAUSES_S:
        try:
            return await call()
        except TryAgain as error:
            _logger.warning("receiving a message: %s; retrying in %g s", error, pause)
        await sleep(pause)
    return await call()
