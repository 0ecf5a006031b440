"""The ledger of places: what is set aside, who waits, and how often each region was asked. One small document.

Every process that admits jobs reads the document, changes its copy, and writes it back if nobody wrote meanwhile. It
is small on purpose (some 30 KB with 400 jobs in line), so that one conditional write keeps all of it true. It may be
lost at any time (I1): it is made again from the container groups that there are, and jobs ask again by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """What is set aside for one job's container, from its admission until it is seen gone."""

    place: str
    cores: float
    at: float
    """When it was admitted, in seconds since the epoch, as every time here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueEntry:
    """One job that waits."""

    priority: int
    submitted_at: float
    cores: float
    places: tuple[str, ...]
    """Where it may go."""
    until: float
    """When it was told to ask again: one that stays away much longer loses its turn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cooldown:
    """A place that had no capacity: nobody asks there for as much or more before `until`."""

    until: float
    cores: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerState:
    """All that is written."""

    shares: Mapping[str, Reservation] = field(default_factory=dict)
    """By job."""
    line: Mapping[str, QueueEntry] = field(default_factory=dict)
    """By job, in the order of their first asking."""
    creates: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """By region, the times within the last hour, oldest first."""
    deletes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    bars: Mapping[str, Cooldown] = field(default_factory=dict)
    """By place."""


class Ledger(Protocol):
    """Where the book is kept, for all processes that admit jobs to the same places.

    Errors: every method may raise `TryAgain`; `write` may then have written or not.
    """

    async def read(self) -> tuple[LedgerState | None, str]:
        """Return the book and its version; None and the empty version while nothing was ever written."""
        ...

    async def write(self, book: LedgerState, *, expected: str) -> bool:
        """Write the book over the version `expected`. False: another version is there by now; read it and decide again.

        It is another's, as a rule. Where an answer was lost and the write sent again, it may be this very book.
        """
        ...

    async def close(self) -> None: ...


class MemoryLedger:
    """The book of a single process."""

    def __init__(self) -> None:
        self._book: LedgerState | None = None
        self._version = 0

    async def read(self) -> tuple[LedgerState | None, str]:
        """See `Ledger.read`."""
        return self._book, str(self._version or "")

    async def write(self, book: LedgerState, *, expected: str) -> bool:
        """See `Ledger.write`."""
        if expected != str(self._version or ""):
            return False
        self._book, self._version = book, self._version + 1
        return True

    async def close(self) -> None:
        """See `Ledger.close`."""


def to_document(book: LedgerState) -> dict[str, Any]:
    """Return the book as JSON values, for stores that keep text or documents.

    Shapes: lists in place of objects where there are many, since the whole is written each time.
    """
    return {
        "shares": {job_id: [share.place, share.cores, share.at] for job_id, share in book.shares.items()},
        "line": [
            [job_id, turn.priority, turn.submitted_at, turn.cores, [*turn.places], turn.until]
            for job_id, turn in book.line.items()
        ],
        "creates": {region: [*times] for region, times in book.creates.items()},
        "deletes": {region: [*times] for region, times in book.deletes.items()},
        "bars": {place: [bar.until, bar.cores] for place, bar in book.bars.items()},
    }


def from_document(document: Mapping[str, Any]) -> LedgerState:
    """Read what `to_document` made.

    >>> share = Reservation(place="local", cores=1.0, at=1.5)
    >>> book = LedgerState(shares={"ada-abcdefghij": share}, creates={"local": (1.5,)})
    >>> from_document(json.loads(json.dumps(to_document(book)))) == book
    True
    """
    return LedgerState(
        shares={
            job_id: Reservation(place=place, cores=cores, at=at)
            for job_id, (place, cores, at) in document["shares"].items()
        },
        line={
            job_id: QueueEntry(
                priority=priority, submitted_at=submitted_at, cores=cores, places=tuple(places), until=until
            )
            for job_id, priority, submitted_at, cores, places, until in document["line"]
        },
        creates={region: tuple(times) for region, times in document["creates"].items()},
        deletes={region: tuple(times) for region, times in document["deletes"].items()},
        bars={place: Cooldown(until=until, cores=cores) for place, (until, cores) in document["bars"].items()},
    )


def to_json(book: LedgerState) -> str:
    """Return the book as JSON text."""
    return json.dumps(to_document(book), separators=(",", ":"))


def from_json(text: str) -> LedgerState:
    """Read what `to_json` wrote."""
    return from_document(json.loads(text))
