"""The port to the log's stats: its size and growth, without reading it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class LogSize:
    """The size of the whole log."""

    events: int
    log_bytes: int | None
    """Size on disk; None: the store does not report it."""
    exact: bool = True
    """False: taken from the store's own statistics, which may lag by minutes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """The identity and time of one event."""

    job_id: str
    position: int
    at: datetime


class LogStats(Protocol):
    """Measure the log.

    Errors: every method may raise `TryAgain` if the store does not answer.
    """

    async def size(self) -> LogSize:
        """Return the current size of the log."""

    async def written_by(self, times: Sequence[datetime]) -> Sequence[int]:
        """Return, for each time, how many events were written at or before it."""

    async def last(self, limit: int) -> Sequence[Written]:
        """Return the latest events, newest first."""

    async def close(self) -> None:
        """Close files and connections."""
