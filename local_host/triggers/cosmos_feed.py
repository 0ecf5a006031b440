"""How does Cosmos DB's change feed reach its function? By polling the account with the SDK.

The connection is a connection string, `AccountEndpoint=…;AccountKey=…;`, as for `func start`. Without a key, the user's
own Azure identity is used. Database, container, poll delay and batch size come from the trigger. There is only one
host, so leases are not needed, and their container is not touched.

Source: learn.microsoft.com/azure/cosmos-db/nosql/change-feed-pull-model.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from azure.core.exceptions import AzureError
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.functions import Document, DocumentList
from azure.identity.aio import DefaultAzureCredential

from local_host.app.functions import Function
from local_host.app.invocation import Invoker
from local_host.clock import Clock
from local_host.durable.hub import TaskHub
from local_host.triggers.change_feed import ChangeFeedTrigger


class CosmosFeedTrigger(ChangeFeedTrigger):
    """One change feed function whose documents are in Cosmos DB."""

    def __init__(
        self, function: Function, *, settings: Mapping[str, str], hub: TaskHub, clock: Clock, invoker: Invoker
    ) -> None:
        super().__init__(function, settings=settings, hub=hub, clock=clock, invoker=invoker)
        self._database = str(function.trigger["databaseName"])
        self._poll_interval = timedelta(milliseconds=int(function.trigger.get("feedPollDelay") or _POLL_MS))
        self._account = _parse_connection(self._connection)
        self._lease = f"{self._lease_prefix}{self._account['AccountEndpoint']}{self._container}"
        hub.db.execute(_SCHEMA)

    async def run(self) -> None:
        key = self._account.get("AccountKey")
        credential = None if key else DefaultAzureCredential()
        client = CosmosClient(
            self._account["AccountEndpoint"], credential=key or credential, enable_endpoint_discovery=key is None
        )
        container = client.get_database_client(self._database).get_container_client(self._container)
        try:
            while True:
                if not await self._deliver(container):
                    await self._clock.sleep_until(self._clock.now() + self._poll_interval)
        finally:
            await client.close()
            if credential is not None:
                await credential.close()

    async def _deliver(self, container: ContainerProxy) -> bool:
        """Deliver one batch; return whether there was one."""
        try:
            items, token = await self._read(container)
        except AzureError as fault:
            # The container does not exist yet, or the account does not respond.
            self._log_fault(f"container '{self._container}'", fault)
            return False
        if items:
            documents = DocumentList(Document.from_dict(item) for item in items)
            await self._call_with_retries(documents, batch=f"{len(items)} documents of '{self._container}'")
        if token is not None:
            self._hub.db.execute(_STORE, (self._lease, token))
        return bool(items)

    async def _read(self, container: ContainerProxy) -> tuple[list[dict[str, Any]], str | None]:
        row = self._hub.db.execute("SELECT token FROM cosmos_feeds WHERE lease=?", (self._lease,)).fetchone()
        start = "Beginning" if self._from_beginning else "Now"
        where = {"continuation": row[0]} if row is not None else {"start_time": start}
        pages = container.query_items_change_feed(max_item_count=self._batch, **where).by_page()
        async for page in pages:
            return [item async for item in page], pages.continuation_token
        return [], pages.continuation_token


_POLL_MS = 5_000

_SCHEMA = "CREATE TABLE IF NOT EXISTS cosmos_feeds(lease TEXT PRIMARY KEY, token TEXT NOT NULL)"
_STORE = "INSERT INTO cosmos_feeds(lease,token) VALUES(?,?) ON CONFLICT(lease) DO UPDATE SET token=excluded.token"


def _parse_connection(connection: str) -> dict[str, str]:
    """Parse a connection string.

    >>> _parse_connection("AccountEndpoint=https://a.documents.azure.com/;AccountKey=a2V5PT0=;")
    {'AccountEndpoint': 'https://a.documents.azure.com/', 'AccountKey': 'a2V5PT0='}
    """
    pairs = (part.partition("=") for part in connection.split(";") if part)
    return {name: value for name, _, value in pairs}
