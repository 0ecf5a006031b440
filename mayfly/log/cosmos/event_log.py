"""The log in a Cosmos DB container: one logical partition per job, one item per event.

An item's id is its position, so that the server itself refuses a taken one (409); the burst of one append is one
transactional batch, written whole or not at all. Items are only ever created and read: the role that the app has in
Azure allows nothing else (I2). A write that is tried again after a lost answer meets its own items, and knows them by
the id of the append.

Cosmos DB orders nothing across partitions. `global_position` is therefore given by the writer: milliseconds of `at`
and, below them, a hash of the job's id; within a stream it always rises, whatever the writers' clocks say. So it
orders the log by time, and each stream by position. Unlike in SQLite, an event may appear below a position that a
reader has passed, when its writer was slow or its clock behind: `read_all` is complete for what was there when the
reading began (an export, a rebuild), and what comes during it is brought by the change feed, whose delivery is
complete and which is what the views live on.

Source: learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch (100 operations, 2 MB);
learn.microsoft.com/azure/cosmos-db/nosql/change-feed-design-patterns (order within a partition key only).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from azure.core.exceptions import AzureError
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from mayfly.cosmos.account import CosmosAccount, charge_of, translated
from mayfly.cosmos.batch import write_batch
from mayfly.cosmos.queries import query
from mayfly.errors import PositionTaken
from mayfly.jobs.events import Event, body_to_json, from_document, to_document
from mayfly.log.event_log import Recorded

CONTAINER = "events"

_HASH_BITS = 22
_DIGITS = 19
"""Of a global position as text: it is below 2**63, and a number in Cosmos DB is exact only below 2**53."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIPS_MAX = 10_000
_EXACT_MAX = 1 << 53


class CosmosEventLog:
    """`EventLog` in Cosmos DB. Use from one event loop."""

    def __init__(self, account: CosmosAccount) -> None:
        account.join()
        self._account = account
        self._query = partial(query, account, CONTAINER, "the event log could not be read")
        self._tips: dict[str, tuple[int, int]] = {}
        """By job: the last (position, global position) that is known here; the stream may be longer, never shorter."""

    async def append(self, events: Sequence[Event], *, expected_position: int) -> None:
        """See `EventLog.append`."""
        job_id = events[0].job_id
        taken = PositionTaken(job_id=job_id, expected_position=expected_position)
        below = await self._global_position(job_id, expected_position)
        if below is None:
            raise taken
        append_id = secrets.token_hex(8)
        documents = _documents(events, below=below, append_id=append_id)
        if not await self._create(job_id, documents):
            self._tips.pop(job_id, None)
            raise taken
        self._remember(job_id, documents[-1])

    async def read(self, job_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Event]:
        """See `EventLog.read`."""
        top = "" if limit is None else f"TOP {int(limit)} "
        documents = await self._query(
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
        """See `EventLog.read_all`."""
        documents = await self._query(
            "read_all",
            f"SELECT TOP {int(limit) + 1} * FROM c WHERE c.global_position > @after"  # noqa: S608 - as above
            " ORDER BY c.global_position",
            {"@after": _text(after)},
        )
        page = documents[:limit]
        if len(documents) > limit and documents[limit]["global_position"] == page[-1]["global_position"]:
            # Two jobs share a position, which is next to impossible: a page must not end between them.
            whole = [one for one in page if one["global_position"] != page[-1]["global_position"]]
            page = whole or documents
        return [Recorded(global_position=int(one["global_position"]), event=from_document(one)) for one in page]

    async def close(self) -> None:
        """See `EventLog.close`."""
        await self._account.leave()

    async def _global_position(self, job_id: str, position: int) -> int | None:
        """Return where the stream's last event stands in the whole log; None when that is not its last position."""
        if position == 0:
            return 0
        known, below = self._tips.get(job_id, (0, 0))
        if known > position:
            return None
        if known == position:
            return below
        container = await self._account.container(CONTAINER)
        try:
            document = await container.read_item(_id(position), job_id, response_hook=charge_of(CONTAINER, "read_last"))
        except CosmosResourceNotFoundError as error:
            if error.sub_status:  # the container itself is missing, not the item
                raise translated(error, "the event log could not be read") from error
            return None
        except AzureError as error:
            raise translated(error, "the event log could not be read") from error
        return int(document["global_position"])

    async def _create(self, job_id: str, documents: Sequence[dict[str, Any]]) -> bool:
        """Write all or none; False when the first position is taken by another append."""
        operations = [("create", (document,)) for document in documents]
        try:
            await write_batch(self._account, CONTAINER, operations, job_id, operation="append")
        except AzureError as error:
            if getattr(error, "status_code", None) == 409:
                return await self._is_ours(job_id, documents[0])
            raise translated(error, "the event log could not be written") from error
        return True

    async def _is_ours(self, job_id: str, document: Mapping[str, Any]) -> bool:
        """Say whether the item that is in the way was written by this very append, whose answer was lost."""
        container = await self._account.container(CONTAINER)
        try:
            found = await container.read_item(
                document["id"], job_id, response_hook=charge_of(CONTAINER, "read_conflict")
            )
        except AzureError as error:
            raise translated(error, "the event log could not be read") from error
        return bool(found.get("append_id") == document["append_id"])

    def _remember(self, job_id: str, document: Mapping[str, Any]) -> None:
        position, known = int(document["position"]), self._tips.pop(job_id, (0, 0))
        self._tips[job_id] = max(known, (position, int(document["global_position"])))
        if len(self._tips) > _TIPS_MAX:
            del self._tips[next(iter(self._tips))]


def _documents(events: Sequence[Event], *, below: int, append_id: str) -> list[dict[str, Any]]:
    documents = []
    for event in events:
        below = max(_clock_position(event), below + 1)
        text = body_to_json(event.body)  # refuses what has no UTF-8, as SQLite does
        document = {"id": _id(event.position), **to_document(event)}
        document |= {"global_position": _text(below), "append_id": append_id}
        if not _survives_doubles(json.loads(text)):
            document["exact"] = text
        documents.append(document)
    return documents


def _clock_position(event: Event) -> int:
    milliseconds = (event.at - _EPOCH) // timedelta(milliseconds=1)
    digest = hashlib.sha256(event.job_id.encode()).digest()
    return (milliseconds << _HASH_BITS) | (int.from_bytes(digest[:4], "big") >> (32 - _HASH_BITS))


def last_position_of(at: datetime) -> str:
    """Return the highest global position, as it is kept, that belongs to that time or before."""
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    return _text(((milliseconds + 1) << _HASH_BITS) - 1)


def _survives_doubles(value: Any) -> bool:
    """Say whether all numbers in a JSON value are exact in Cosmos DB, which keeps them as doubles."""
    if isinstance(value, dict):
        return all(map(_survives_doubles, value.values()))
    if isinstance(value, list):
        return all(map(_survives_doubles, value))
    return not isinstance(value, int) or abs(value) <= _EXACT_MAX


def _id(position: int) -> str:
    return f"{position:06d}"


def _text(global_position: int) -> str:
    return f"{global_position:0{_DIGITS}d}"
