"""The ledger of places as one item of a Cosmos DB container, for all instances of the app.

Its version is the item's etag, so that of two writers one is told that it was late. A write whose answer was lost is
sent again and told the same; its writer reads the book anew and finds there what it had set aside.

An item holds 2 MB. The book stays below 1 MB, with ten regions and 2,000 containers: its line has an end
(`placing.LINE_MAX`), the rates forget what is older than an hour, and there are no more shares than the quotas allow.
Nothing in it is indexed: it is only ever read whole.

Source: learn.microsoft.com/azure/cosmos-db/concepts-limits (2 MB for an item).
"""

from __future__ import annotations

from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from mayfly.admission.ledger import LedgerState, from_document, to_document
from mayfly.cosmos.account import WRITE_TRIES, CosmosAccount, charge_of, translated

CONTAINER = "ledger"

_ID = "book"


class CosmosLedger:
    """See `Ledger`. Use from one event loop."""

    def __init__(self, account: CosmosAccount) -> None:
        account.join()
        self._account = account

    async def read(self) -> tuple[LedgerState | None, str]:
        """See `Ledger.read`."""
        container = await self._account.container(CONTAINER)
        try:
            item = await container.read_item(_ID, _ID, response_hook=charge_of(CONTAINER, "read"))
        except CosmosResourceNotFoundError as error:
            if error.sub_status:  # the container itself is missing, not the item
                raise translated(error, "the ledger of places could not be read") from error
            return None, ""
        except AzureError as error:
            raise translated(error, "the ledger of places could not be read") from error
        return from_document(item), str(item["_etag"])

    async def write(self, book: LedgerState, *, expected: str) -> bool:
        """See `Ledger.write`."""
        container = await self._account.container(CONTAINER)
        item = {"id": _ID, **to_document(book)}
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
        except (CosmosAccessConditionFailedError, CosmosResourceExistsError, CosmosResourceNotFoundError) as error:
            hook(error.headers or {}, None)
            if error.status_code == 404 and error.sub_status:
                raise translated(error, "the ledger of places could not be written") from error
            return False
        except AzureError as error:
            raise translated(error, "the ledger of places could not be written") from error
        return True

    async def close(self) -> None:
        """See `Ledger.close`."""
        await self._account.leave()
