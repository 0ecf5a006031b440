"""The port to the append-only log: one stream per job, and one order over all of them.

Words, used nowhere else for anything else: `position` is gapless from 1 within a stream; `global_position` orders the
whole log and may have gaps; `expected_position` is what the writer believed to be the last position. There is no way
to change or remove an event (I2), and no call here that could.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mayfly.jobs.events import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """An event with its place in the whole log."""

    global_position: int
    event: Event


class EventLog(Protocol):
    """Append and read.

    Errors: every method may raise `TryAgain` when the store does not answer; an append that raises it may or may not
    have been written, and the same append again tells: it raises `PositionTaken` when it was.
    """

    async def append(self, events: Sequence[Event], *, expected_position: int) -> None:
        """Write events of one job, all or none, and return when they are safe.

        Shapes: at least one and at most 100 events of one job, at positions `expected_position + 1` and on.
        Errors: `PositionTaken` when the stream has moved on; nothing is written.
        """
        ...

    async def read(self, job_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Event]:
        """Return a stream's events after a position, in order; empty when there are none."""
        ...

    async def read_all(self, *, after: int = 0, limit: int = 1_000) -> Sequence[Recorded]:
        """Return the events of the whole log after a global position, in order."""
        ...

    async def close(self) -> None:
        """Release what is open."""
        ...
