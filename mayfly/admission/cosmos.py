"""The ledger of places as one item of a Cosmos DB container, shared by all instances of the app.

Its version is the item's etag, so of two concurrent writers one gets a conflict. A write whose answer was lost is sent
again and gets a conflict too; its writer reads the ledger again and finds its own reservation there.

An item can hold 2 MB. The ledger stays below 1 MB, with ten regions and 2,000 containers: its queue is limited
(`placement.QUEUE_MAX`), request times are dropped after an hour, and the quotas limit the number of reservations.
Nothing in the item is indexed, since it is only read as a whole.

Source: learn.microsoft.com/azure/cosmos-db/concepts-limits (2 MB for an item).
"""

from __future__ import annotations

from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.cosmos.exceptions import CosmosAccessConditionFailedError, CosmosResourceExistsError

from mayfly.admission.ledger import LedgerState, from_document, to_document
from mayfly.cosmos.account import WRITE_TRIES, CosmosAccount, charge_of, translated
from mayfly.cosmos.items import is_missing_item, read_item

CONTAINER = "ledger"

_ID = "book"
"""The item's id, which never changes."""


class CosmosLedger:
    """`Ledger` in Cosmos DB. Use from one event loop."""

    def __init__(self, account: CosmosAccount) -> None:
        account.join()
        self._account = account

    async def read(self) -> tuple[LedgerState | None, str]:
        """See `Ledger.read`."""
        item = await read_item(self._account, CONTAINER, "the ledger of places could not be read", "read", _ID, _ID)
        return (None, "") if item is None else (from_document(item), str(item["_etag"]))

    async def write(self, state: LedgerState, *, expected: str) -> bool:
        """See `Ledger.write`."""
        container = await self._account.container(CONTAINER)
        item = {"id": _ID, **to_document(state)}
        hook = charge_of(CONTAINER, "write")
        try:
            if expected:
                await container.replace_item(
                    _ID,
                    item,
                    etag=expected,
                    match_condition=MatchConditions.IfNotModified,
                    retry_write=WRITE_TRIES,
                    response_hook=hook,
                )
            else:
                await container.create_item(item, retry_write=WRITE_TRIES, response_hook=hook)
        except AzureError as error:
            conflict = isinstance(error, CosmosAccessConditionFailedError | CosmosResourceExistsError)
            if not conflict and not is_missing_item(error):
                raise translated(error, "the ledger of places could not be written") from error
            hook(getattr(error, "headers", None) or {}, None)
            return False
        return True

    async def close(self) -> None:
        """See `Ledger.close`."""
        await self._account.leave()
