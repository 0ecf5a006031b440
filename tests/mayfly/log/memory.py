"""The log as plain lists: the reference model for the other adapters, and the log of simulations."""

from __future__ import annotations

from collections.abc import Sequence

from mayfly.errors import PositionTaken
from mayfly.jobs.events import Event
from mayfly.log.event_log import Recorded


class MemoryEventLog:
    """`EventLog` in memory."""

    def __init__(self) -> None:
        self._all: list[Recorded] = []
        self._streams: dict[str, list[Event]] = {}

    async def append(self, events: Sequence[Event], *, expected_position: int) -> None:
        """See `EventLog.append`."""
        stream = self._streams.setdefault(events[0].job_id, [])
        if len(stream) != expected_position:
            raise PositionTaken(job_id=events[0].job_id, expected_position=expected_position)
        stream.extend(events)
        self._all.extend(
            Recorded(global_position=number, event=event) for number, event in enumerate(events, len(self._all) + 1)
        )

    async def read(self, job_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Event]:
        """See `EventLog.read`."""
        return self._streams.get(job_id, [])[after:][:limit]

    async def read_all(self, *, after: int = 0, limit: int = 1_000) -> Sequence[Recorded]:
        """See `EventLog.read_all`."""
        return self._all[after : after + limit]

    async def close(self) -> None:
        """See `EventLog.close`."""
