"""The items of one container: read, queried, written and deleted, with the charge of each call recorded.

A 404 has two meanings in Cosmos DB. Without a sub-status, the item does not exist. With one, the container is missing
or a replica lags behind, and nothing is known about the item (source: azure.cosmos.http_constants.SubStatusCodes).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosBatchOperationError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from mayfly.cosmos.account import WRITE_TRIES, Charge, CosmosAccount, charge_of, translated
from mayfly.cosmos.batch import send_batch

Item = dict[str, Any]


class CosmosItems:
    """One container of an account. Use from one event loop.

    Shapes: `subject` begins the text of an error, such as "the job views"; `operation` is the name under which the
    charge of a call is recorded.
    Errors: see `translated`.
    """

    def __init__(self, account: CosmosAccount, container: str, subject: str) -> None:
        account.join()
        self._account = account
        self._container = container
        self._subject = subject

    async def read(self, item_id: str, partition_key: str, *, operation: str = "get") -> Item | None:
        """Return an item; None: it does not exist."""
        async with self.call(operation, "read") as (container, charge):
            try:
                item: Item = await container.read_item(item_id, partition_key, response_hook=charge)
            except CosmosResourceNotFoundError as error:
                if error.sub_status:
                    raise
                return None
            return item

    async def query(
        self,
        operation: str,
        text: str,
        parameters: Mapping[str, object] | None = None,
        *,
        partition_key: str | None = None,
    ) -> list[Any]:
        """Return everything that a query finds, on all of its pages.

        Shapes: `parameters`: `@name` to value. `partition_key` None: query every partition.
        """
        named = [{"name": name, "value": value} for name, value in (parameters or {}).items()]
        scope = {} if partition_key is None else {"partition_key": partition_key}
        async with self.call(operation, "read") as (container, charge):
            found = container.query_items(text, parameters=named, response_hook=charge, **scope)
            return [item async for item in found]

    async def write(self, item: Item, *, operation: str, etag: str = "") -> Item | None:
        """Create an item, or replace the one with this etag, and return it; None: another writer was faster."""
        async with self.call(operation, "written") as (container, charge):
            options: dict[str, Any] = {"retry_write": WRITE_TRIES, "response_hook": charge}
            try:
                if etag:
                    options |= {"etag": etag, "match_condition": MatchConditions.IfNotModified}
                    written: Item = await container.replace_item(item["id"], item, **options)
                else:
                    written = await container.create_item(item, **options)
            except (CosmosAccessConditionFailedError, CosmosResourceExistsError, CosmosResourceNotFoundError) as error:
                if error.status_code == 404 and (error.sub_status or not etag):
                    raise
                charge(error.headers or {}, None)
                return None
            return written

    async def write_batch(
        self, operations: Sequence[Any], partition_key: str, *, operation: str
    ) -> Sequence[Mapping[str, Any]] | None:
        """Carry out operations on one partition, all or none, and return the result of each.

        None: an item exists already, has changed or is gone. After a lost answer the batch is sent again, so the
        conflict may be with the batch itself.
        """
        async with self.call(operation, "written") as (container, charge):
            try:
                return await send_batch(container, operations, partition_key, charge)
            except (CosmosBatchOperationError, CosmosResourceExistsError) as error:
                if error.status_code not in (404, 409, 412):
                    raise
                return None

    async def upsert(self, item: Item, *, operation: str) -> None:
        """Create or replace an item, whatever is there."""
        async with self.call(operation, "written") as (container, charge):
            await container.upsert_item(item, retry_write=WRITE_TRIES, response_hook=charge)

    async def delete(self, item_id: str, partition_key: str, *, operation: str = "delete") -> None:
        """Delete an item if it exists."""
        async with self.call(operation, "cleared") as (container, charge):
            try:
                await container.delete_item(item_id, partition_key, response_hook=charge)
            except CosmosResourceNotFoundError as error:
                if error.sub_status:
                    raise

    @asynccontextmanager
    async def call(self, operation: str, done: str) -> AsyncIterator[tuple[ContainerProxy, Charge]]:
        """Yield the container and the hook that records a charge; translate errors: "… could not be {done}"."""
        container = await self._account.container(self._container)
        try:
            yield container, charge_of(self._container, operation)
        except AzureError as error:
            raise translated(error, f"{self._subject} could not be {done}") from error

    async def close(self) -> None:
        """Leave the account."""
        await self._account.leave()
