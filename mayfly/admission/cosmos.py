"""The ledger of places as one item of a Cosmos DB container, shared by all instances of the app.

Its version is the item's etag, so of two concurrent writers one gets a conflict. A write whose answer was lost is sent
again and gets a conflict too; its writer reads the ledger again and finds its own reservation there.

An item can hold 2 MB (source: learn.microsoft.com/azure/cosmos-db/concepts-limits). The ledger stays below 1 MB, with
ten regions and 2,000 containers: its queue is limited (`placement.QUEUE_MAX`), request times are dropped after an hour,
and the quotas limit the number of reservations. Nothing in the item is indexed, since it is only read as a whole.
"""

from __future__ import annotations

from mayfly.admission.ledger import LedgerState, from_document, to_document
from mayfly.cosmos.account import CosmosAccount
from mayfly.cosmos.items import CosmosItems

CONTAINER = "ledger"

_ID = "book"
"""The item's id, which never changes."""


class CosmosLedger:
    """`Ledger` in Cosmos DB. Use from one event loop."""

    def __init__(self, account: CosmosAccount) -> None:
        self._items = CosmosItems(account, CONTAINER, "the ledger of places")

    async def read(self) -> tuple[LedgerState | None, str]:
        item = await self._items.read(_ID, _ID, operation="read")
        return (None, "") if item is None else (from_document(item), str(item["_etag"]))

    async def write(self, state: LedgerState, *, expected: str) -> bool:
        item = {"id": _ID, **to_document(state)}
        return await self._items.write(item, etag=expected, operation="write") is not None

    async def close(self) -> None:
        await self._items.close()
