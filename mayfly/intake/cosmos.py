"""The intake record in a Cosmos DB container. As with the log, the app's role can only create and read items there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from mayfly.cosmos.account import CosmosAccount
from mayfly.cosmos.items import CosmosItems
from mayfly.intake.intake_record import RejectedMessage, from_document, to_document

CONTAINER = "intake"


class CosmosIntakeRecord:
    """`IntakeRecord` in Cosmos DB. Use from one event loop."""

    def __init__(self, account: CosmosAccount) -> None:
        self._items = CosmosItems(account, CONTAINER, "the intake record")

    async def record(self, rejected: RejectedMessage) -> bool:
        # A message id may contain characters that an item's id may not, so the id is a digest.
        digest = hashlib.sha256(f"{rejected.queue}\n{rejected.message_id}".encode("utf-8", "surrogatepass")).hexdigest()
        return await self._items.write({"id": digest, **to_document(rejected)}, operation="record") is not None

    async def rejections(self, *, limit: int = 100) -> Sequence[RejectedMessage]:
        text = f"SELECT TOP {int(limit)} * FROM c ORDER BY c.at DESC, c.message_id DESC"  # noqa: S608 - limit is a number
        return [from_document(item) for item in await self._items.query("list", text)]

    async def close(self) -> None:
        await self._items.close()
