"""The intake record in a Cosmos DB container. As with the log, the app's role can only create and read items there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from azure.core.exceptions import AzureError
from azure.cosmos.exceptions import CosmosResourceExistsError

from mayfly.clock import stamp
from mayfly.cosmos.account import WRITE_TRIES, CosmosAccount, charge_of, translated
from mayfly.cosmos.queries import query
from mayfly.intake.intake_record import RejectedMessage

CONTAINER = "intake"


class CosmosIntakeRecord:
    """`IntakeRecord` in Cosmos DB. Use from one event loop."""

    def __init__(self, account: CosmosAccount) -> None:
        account.join()
        self._account = account

    async def record(self, rejected: RejectedMessage) -> bool:
        """See `IntakeRecord.record`."""
        container = await self._account.container(CONTAINER)
        # A message id may contain characters that an item's id may not, so the id is a digest.
        digest = hashlib.sha256(f"{rejected.queue}\n{rejected.message_id}".encode("utf-8", "surrogatepass")).hexdigest()
        item = {
            "id": digest,
            "queue": rejected.queue,
            "message_id": rejected.message_id,
            "at": stamp(rejected.at),
            "reason": rejected.reason,
            "body_bytes": rejected.body_bytes,
            "body_sha256": rejected.body_sha256,
        }
        try:
            await container.create_item(item, retry_write=WRITE_TRIES, response_hook=charge_of(CONTAINER, "record"))
        except CosmosResourceExistsError:
            return False
        except AzureError as error:
            raise translated(error, "the intake record could not be written") from error
        return True

    async def rejections(self, *, limit: int = 100) -> Sequence[RejectedMessage]:
        """See `IntakeRecord.rejections`."""
        items = await query(
            self._account,
            CONTAINER,
            "the intake record could not be read",
            "list",
            f"SELECT TOP {int(limit)} * FROM c ORDER BY c.at DESC, c.message_id DESC",  # noqa: S608 - limit is a number
        )
        return [
            RejectedMessage(
                queue=item["queue"],
                message_id=item["message_id"],
                at=datetime.fromisoformat(item["at"]),
                reason=item["reason"],
                body_bytes=item["body_bytes"],
                body_sha256=item["body_sha256"],
            )
            for item in items
        ]

    async def close(self) -> None:
        """See `IntakeRecord.close`."""
        await self._account.leave()
