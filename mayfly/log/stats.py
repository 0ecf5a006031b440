"""The port to the log's gauge: how large the log is and how fast it grows, without reading it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class LogSize:
    """The log as a whole."""

    events: int
    log_bytes: int | None
    """On the disk; None where the store does not say."""
    exact: bool = True
    """False: from the store's own books, which may be some minutes behind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """One event, as far as it is asked for here."""

    job_id: str
    position: int
    at: datetime


class LogStats(Protocol):
    """Measure the log.

    Errors: every method may raise `TryAgain` when the store does not answer.
    """

    async def size(self) -> LogSize:
        """Return how large the log is now."""
        ...

    async def written_by(self, times: Sequence[datetime]) -> Sequence[int]:
        """Return for each time how many events had been written by then, that moment included."""
        ...

    async def last(self, limit: int) -> Sequence[Written]:
        """Return the events that were written last, newest first."""
        ...

    async def close(self) -> None:
        """Release what is open."""
        ...
