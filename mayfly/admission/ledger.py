"""The ledger of places: reservations, the queue, and recent requests per region, in one small document.

Each process that admits jobs reads the document, changes its copy, and writes it back unless another process has
written it since. The document is small on purpose (about 30 KB with 400 queued jobs), so that one conditional write
keeps all of it consistent. It may be lost at any time (I1): the existing container groups are enough to rebuild it, and
queued jobs request admission again on their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol


class Reservation(NamedTuple):
    """A job's share of a place, from its admission until its container is confirmed gone.

    Stored in this order; add fields at the end.
    """

    place: str
    cores: float
    at: float
    """When the job was admitted. Like all times in the ledger, in seconds since the epoch."""


class QueueEntry(NamedTuple):
    """A job that waits for a place. Stored in this order; add fields at the end."""

    priority: int
    submitted_at: float
    cores: float
    places: tuple[str, ...]
    """The places where it may run."""
    until: float
    """When it should request admission again. A job that is much later than this loses its entry."""


class Cooldown(NamedTuple):
    """A place without capacity: until this time, no job requests this many cores or more there.

    Stored in this order; add fields at the end.
    """

    until: float
    cores: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerState:
    """The whole content of a ledger."""

    reservations: Mapping[str, Reservation] = field(default_factory=dict)
    """By job id."""
    queue: Mapping[str, QueueEntry] = field(default_factory=dict)
    """By job id, in the order of their first requests."""
    creates: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """By region, the times of creates in the last hour, oldest first."""
    deletes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """By region, the times of deletes in the last hour, oldest first."""
    cooldowns: Mapping[str, Cooldown] = field(default_factory=dict)
    """By place."""


class Ledger(Protocol):
    """A store for the ledger's state, shared by all processes that admit jobs to the same places.

    Errors: every method may raise `TryAgain`; a `write` that raises it may or may not have been written.
    """

    async def read(self) -> tuple[LedgerState | None, str]:
        """Return the state and its version; None and an empty version: nothing has been written yet."""

    async def write(self, state: LedgerState, *, expected: str) -> bool:
        """Replace the version `expected`. False: the store has another version; read it and decide again.

        That version is usually another process's. If an answer was lost and the write was sent again, it may be this
        very state.
        """

    async def close(self) -> None:
        """Close files and connections."""


class MemoryLedger:
    """`Ledger` for a single process."""

    def __init__(self) -> None:
        self._state: LedgerState | None = None
        self._version = 0

    async def read(self) -> tuple[LedgerState | None, str]:
        return self._state, str(self._version or "")

    async def write(self, state: LedgerState, *, expected: str) -> bool:
        if expected != str(self._version or ""):
            return False
        self._state, self._version = state, self._version + 1
        return True

    async def close(self) -> None:
        """See `Ledger.close`."""


def to_document(state: LedgerState) -> dict[str, Any]:
    """Return the state as JSON values, for stores that keep text or documents.

    Shapes: lists replace objects where there are many, since each write contains the whole state. The keys, and the
    order of the fields in a list, are stored and never change: `shares` are reservations, `line` is the queue, `bars`
    are cooldowns.
    """
    return {
        "shares": {job_id: [*one] for job_id, one in state.reservations.items()},
        "line": [
            [job_id, entry.priority, entry.submitted_at, entry.cores, [*entry.places], entry.until]
            for job_id, entry in state.queue.items()
        ],
        "creates": {region: [*times] for region, times in state.creates.items()},
        "deletes": {region: [*times] for region, times in state.deletes.items()},
        "bars": {place: [*cooldown] for place, cooldown in state.cooldowns.items()},
    }


def from_document(document: Mapping[str, Any]) -> LedgerState:
    """Read a document of `to_document`.

    >>> reservation = Reservation(place="local", cores=1.0, at=1.5)
    >>> state = LedgerState(reservations={"ada-abcdefghij": reservation}, creates={"local": (1.5,)})
    >>> from_document(json.loads(json.dumps(to_document(state)))) == state
    True
    """
    return LedgerState(
        reservations={job_id: Reservation(*fields) for job_id, fields in document["shares"].items()},
        queue={
            job_id: QueueEntry(priority, submitted_at, cores, tuple(places), until)
            for job_id, priority, submitted_at, cores, places, until in document["line"]
        },
        creates={region: tuple(times) for region, times in document["creates"].items()},
        deletes={region: tuple(times) for region, times in document["deletes"].items()},
        cooldowns={place: Cooldown(*fields) for place, fields in document["bars"].items()},
    )


def to_json(state: LedgerState) -> str:
    """Return the state as JSON text."""
    return json.dumps(to_document(state), separators=(",", ":"))


def from_json(text: str) -> LedgerState:
    """Read a text of `to_json`."""
    return from_document(json.loads(text))
