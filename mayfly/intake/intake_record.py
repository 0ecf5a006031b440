"""The port to the intake record: messages that were refused, and why. It belongs to the log and only grows.

A message that became a job is in that job's stream. One that did not has no stream, so it is written here, once for
each message, however often it is delivered. The message itself stays in the queue's dead letters; what is written here
tells it apart and holds nothing of its text, which may hold what nobody may see (I8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

REASON_CHARS_MAX = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectedMessage:
    """One message that is no job."""

    queue: str
    message_id: str
    """The sender's; `sequence-N` where the sender gave none."""
    at: datetime
    """When it was first refused."""
    reason: str
    """What is wrong with it, field by field, and the mend."""
    body_bytes: int
    body_sha256: str
    """Of the body as it was sent, in hex: by it the dead letter is found."""


class IntakeRecord(Protocol):
    """Write and list refusals. Errors: every method may raise `TryAgain` when the store does not answer."""

    async def record(self, refusal: RejectedMessage) -> bool:
        """Write a refusal; False, and nothing is written, when this message of this queue has one."""
        ...

    async def refusals(self, *, limit: int = 100) -> Sequence[RejectedMessage]:
        """Return refusals, newest first."""
        ...

    async def close(self) -> None:
        """Release what is open."""
        ...
