"""Take a message from a queue in: read it as a job, submit it, or write down why it is none.

A message is plain text, as in the sample, or a job spec as JSON. Its id is the idempotency key, so a message that is
delivered again, or sent again with the same id, finds its job. A message that is wrong stays wrong: it is refused each
time it comes, until the queue puts it among its dead letters; the first refusal is in the intake record.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from mayfly.app import Mayfly
from mayfly.errors import FieldError, MayflyError, Rejected, TryAgain
from mayfly.intake.intake_record import REASON_CHARS_MAX, RejectedMessage
from mayfly.jobs.spec import JobSpec
from mayfly.orchestrators import Orchestrators
from mayfly.use_cases.submit import Submission, parse_spec, submit
from mayfly.validation import BODY_BYTES_MAX, parse_object

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Between tries while a store does not answer: two minutes in all, within the lock that the queue renews for five.

A delivery that fails counts towards the dead letters, and a store that is away for a minute is not the message's fault.
"""

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

_logger = logging.getLogger("mayfly.use_cases.submit_message")


class MessageRefused(MayflyError):
    """The message is no job; the text says why. Delivering it again changes nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    queue: str
    message_id: str
    """The sender's; `sequence-N` where the sender gave none."""
    body: bytes
    content_type: str | None


def spec_of(message: Message) -> JobSpec:
    """Read a message as a job.

    Shapes: `application/json` is a spec. Without a content type, text that begins with a brace is one too. Everything
    else is text for the standard worker.
    Errors: `Rejected`, naming each mistake.
    """
    if len(message.body) > BODY_BYTES_MAX:
        mistake = f"must be at most {BODY_BYTES_MAX} bytes (got {len(message.body)})"
        raise Rejected("the message is too large", [FieldError(field="body", message=mistake)])
    try:
        text = message.body.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        mistake = f"must be text in UTF-8 (byte {problem.start} is not)"
        raise Rejected("the message is not text", [FieldError(field="body", message=mistake)]) from problem
    if not text.strip():
        raise Rejected("the message is empty", [FieldError(field="body", message="must be a text or a job spec")])
    media_type = (message.content_type or "").partition(";")[0].strip().lower()
    if media_type == "application/json" or (not media_type and text.lstrip().startswith("{")):
        return parse_spec(parse_object(text.encode(), content_type="application/json"))
    return parse_spec({"message": text})


async def submit_message(
    mayfly: Mayfly, orchestrators: Orchestrators, message: Message, *, sleep: Sleep = asyncio.sleep
) -> Submission:
    """Submit the job that a message holds.

    Errors: `MessageRefused` after it was written down; `TryAgain` when the stores stay away.
    """
    try:
        spec = spec_of(message)
        return await _patiently(lambda: _submit(mayfly, orchestrators, spec, message), sleep)
    except Rejected as problem:
        refusal = RejectedMessage(
            queue=message.queue,
            message_id=message.message_id,
            at=mayfly.clock.now(),
            reason=str(problem)[:REASON_CHARS_MAX],
            body_bytes=len(message.body),
            body_sha256=hashlib.sha256(message.body).hexdigest(),
        )
        if await _patiently(lambda: mayfly.intake.record(refusal), sleep):
            _logger.warning("message %r of queue %s is refused: %s", message.message_id, message.queue, refusal.reason)
        raise MessageRefused(refusal.reason) from problem


async def _submit(mayfly: Mayfly, orchestrators: Orchestrators, spec: JobSpec, message: Message) -> Submission:
    return await submit(mayfly, orchestrators, spec, source="queue", idempotency_key=message.message_id)


async def _patiently(call: Callable[[], Awaitable[T]], sleep: Sleep) -> T:
    for pause in PAUSES_S:
        try:
            return await call()
        except TryAgain as error:
            _logger.warning("taking in a message: %s; again in %g s", error, pause)
        await sleep(pause)
    return await call()
