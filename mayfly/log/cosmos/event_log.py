"""The log in a Cosmos DB container: one logical partition per job, one item per event.

An item's id is its position, so the server itself refuses a taken position (409). The events of one append form one
transactional batch, which is written completely or not at all. Items are only created and read, and the app's role in
Azure allows nothing else (I2). A write that is repeated after a lost answer finds its own items and recognizes them by
their append id.

Cosmos DB has no order across partitions, so the writer assigns `global_position`: the milliseconds of `at`, followed by
a hash of the job id. Within a stream it always rises, whatever the writers' clocks say. So it orders the log by time
and each stream by position. Unlike in SQLite, an event may appear below a position that a reader has passed, if its
writer was slow or its clock was behind. `read_all` returns every event that existed when reading began (for an export
or a rebuild). The change feed delivers the events written since then; it misses none, and the views depend on it.

Source: learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch (100 operations, 2 MB);
learn.microsoft.com/azure/cosmos-db/nosql/change-feed-design-patterns (order within a partition key only).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cachetools import LRUCache

from mayfly.cosmos.account import CosmosAccount
from mayfly.cosmos.items import CosmosItems
from mayfly.errors import PositionTaken, TryAgain
from mayfly.jobs.events import Event, body_to_json, from_document, to_document
from mayfly.log.event_log import Recorded

CONTAINER = "events"
SUBJECT = "the event log"

_HASH_BITS = 22
_DIGITS = 19
"""Length of a global position as text. It is below 2**63, and numbers in Cosmos DB are exact only below 2**53."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIPS_MAX = 10_000
_EXACT_MAX = 1 << 53


class CosmosEventLog:
    """`EventLog` in Cosmos DB. Use from one event loop."""

    def __init__(self, account: CosmosAccount) -> None:
        self._items = CosmosItems(account, CONTAINER, SUBJECT)
        self._tips: LRUCache[str, tuple[int, int]] = LRUCache(_TIPS_MAX)
        """By job, the last known (position, global position); the stream may be longer but never shorter."""

    async def append(self, events: Sequence[Event], *, expected_position: int) -> None:
        job_id = events[0].job_id
        taken = PositionTaken(job_id=job_id, expected_position=expected_position)
        below = await self._global_position(job_id, expected_position)
        if below is None:
            raise taken
        documents = _documents(events, below=below, append_id=secrets.token_hex(8))
        operations = [("create", (document,)) for document in documents]
        created = await self._items.write_batch(operations, job_id, operation="append")
        if created is None and not await self._is_ours(job_id, documents[0]):
            self._tips.pop(job_id, None)
            raise taken
        self._remember(job_id, documents[-1])

    async def read(self, job_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Event]:
        top = "" if limit is None else f"TOP {int(limit)} "
        documents = await self._items.query(
            "read",
            f"SELECT {top}* FROM c WHERE c.job_id = @job_id AND c.position > @after"  # noqa: S608 - top is a number
            " ORDER BY c.position",
            {"@job_id": job_id, "@after": after},
            partition_key=job_id,
        )
        if documents:
            self._remember(job_id, documents[-1])
        return [from_document(document) for document in documents]

    async def read_all(self, *, after: int = 0, limit: int = 1_000) -> Sequence[Recorded]:
        documents = await self._items.query(
            "read_all",
            f"SELECT TOP {int(limit) + 1} * FROM c WHERE c.global_position > @after"  # noqa: S608 - limit is a number
            " ORDER BY c.global_position",
            {"@after": _text(after)},
        )
        page = documents[:limit]
        if len(documents) > limit and documents[limit]["global_position"] == page[-1]["global_position"]:
            # Two jobs share a global position, which is extremely rare. A page must not end between them.
            whole = [one for one in page if one["global_position"] != page[-1]["global_position"]]
            page = whole or documents
        return [Recorded(global_position=int(one["global_position"]), event=from_document(one)) for one in page]

    async def close(self) -> None:
        await self._items.close()

    async def _global_position(self, job_id: str, position: int) -> int | None:
        """Return the global position of the stream's last event; None: `position` is not the last one."""
        if position == 0:
            return 0
        known, below = self._tips.get(job_id, (0, 0))
        if known > position:
            return None
        if known == position:
            return below
        document = await self._items.read(_id(position), job_id, operation="read_last")
        return None if document is None else int(document["global_position"])

    async def _is_ours(self, job_id: str, document: Mapping[str, Any]) -> bool:
        """Say whether the conflicting item was written by this same append, whose answer was lost.

        Errors: `TryAgain`, even if the conflicting item cannot be found.
        """
        found = await self._items.read(document["id"], job_id, operation="read_conflict")
        if found is None:
            raise TryAgain(
                f"{SUBJECT} could not be read: the item that conflicts with {document['id']} of {job_id} is not visible"
            )
        return bool(found.get("append_id") == document["append_id"])

    def _remember(self, job_id: str, document: Mapping[str, Any]) -> None:
        tip = (int(document["position"]), int(document["global_position"]))
        self._tips[job_id] = max(self._tips.get(job_id, (0, 0)), tip)


def _documents(events: Sequence[Event], *, below: int, append_id: str) -> list[dict[str, Any]]:
    documents = []
    for event in events:
        below = max(_clock_position(event), below + 1)
        text = body_to_json(event.body)  # fails for text that has no UTF-8 form, as SQLite does
        document = {"id": _id(event.position), **to_document(event)}
        document |= {"global_position": _text(below), "append_id": append_id}
        if not _survives_doubles(json.loads(text)):
            document["exact"] = text
        documents.append(document)
    return documents


def _clock_position(event: Event) -> int:
    digest = hashlib.sha256(event.job_id.encode()).digest()
    return (_milliseconds(event.at) << _HASH_BITS) | (int.from_bytes(digest[:4], "big") >> (32 - _HASH_BITS))


def last_position_of(at: datetime) -> str:
    """Return, as stored text, the highest global position of events up to this time."""
    return _text(((_milliseconds(at) + 1) << _HASH_BITS) - 1)


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _survives_doubles(value: Any) -> bool:
    """Say whether Cosmos DB, which stores numbers as doubles, keeps all numbers of a JSON value exact."""
    if isinstance(value, dict):
        return all(map(_survives_doubles, value.values()))
    if isinstance(value, list):
        return all(map(_survives_doubles, value))
    return not isinstance(value, int) or abs(value) <= _EXACT_MAX


def _id(position: int) -> str:
    return f"{position:06d}"


def _text(global_position: int) -> str:
    return f"{global_position:0{_DIGITS}d}"
