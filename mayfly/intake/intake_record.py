"""The port to the intake record: rejected messages and the reasons. Like the log, it is append-only.

A message that became a job is in that job's stream. A rejected message has no stream, so it is recorded here, once for
each message, no matter how often it is delivered. The message itself stays in the queue's dead-letter queue. The record
identifies it without any of its text, because that text may contain secrets (I8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Protocol

from mayfly.clock import stamp

REASON_CHARS_MAX = 1_000
"""Longest recorded reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectedMessage:
    """A message that is not a valid job."""

    # The names of the fields are stored and are keys of the API, so they never change.
    queue: str
    message_id: str
    """The sender's id, or `sequence-N` if the sender gave none."""
    at: datetime
    """When it was first rejected."""
    reason: str
    """Each mistake, with its field and its fix."""
    body_bytes: int
    """Size of the body as it was sent."""
    body_sha256: str
    """Digest of the body as it was sent, in hex; it identifies the dead letter."""


def to_document(rejected: RejectedMessage) -> dict[str, Any]:
    """Return a rejected message as it is stored: its fields by name."""
    return {**asdict(rejected), "at": stamp(rejected.at)}


def from_document(stored: Mapping[str, Any]) -> RejectedMessage:
    """Return a stored message. Shapes: other keys, such as those that a store adds, are ignored."""
    known = {field.name: stored[field.name] for field in fields(RejectedMessage)}
    return RejectedMessage(**{**known, "at": datetime.fromisoformat(stored["at"])})


class IntakeRecord(Protocol):
    """Record and list rejected messages.

    Errors: every method may raise `TryAgain` if the store does not answer.
    """

    async def record(self, rejected: RejectedMessage) -> bool:
        """Record a rejected message. False: this message of this queue is already recorded; nothing is written."""

    async def rejections(self, *, limit: int = 100) -> Sequence[RejectedMessage]:
        """Return rejected messages, newest first."""

    async def close(self) -> None:
        """Close files and connections."""
