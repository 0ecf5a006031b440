"""The port to the append-only log: one stream per job, and one order over all of them.

Terms: `position` is gapless from 1 within a stream. `global_position` orders the whole log and may have gaps.
`expected_position` is the last position as the writer knows it. The port has no call that changes or removes an event
(I2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mayfly.jobs.events import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """An event with its position in the whole log."""

    global_position: int
    event: Event


class EventLog(Protocol):
    """Append and read.

    Errors: every method may raise `TryAgain` if the store does not answer. An append that raises it may or may not have
    been written. Repeat the append to find out: it raises `PositionTaken` if it had been written.
    """

    async def append(self, events: Sequence[Event], *, expected_position: int) -> None:
        """Write events of one job, all or none, and return once they are durable.

        Shapes: 1 to 100 events of one job, at consecutive positions from `expected_position + 1`.
        Errors: `PositionTaken` if the stream has a later position; nothing is written.
        """

    async def read(self, job_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Event]:
        """Return a stream's events after a position, in order.

        Shapes: empty for an unknown stream; `limit` None: no limit.
        """

    async def read_all(self, *, after: int = 0, limit: int = 1_000) -> Sequence[Recorded]:
        """Return the events of the whole log after a global position, in order."""

    async def close(self) -> None:
        """Close files and connections."""
