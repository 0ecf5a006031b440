"""How does Cosmos DB's own change feed reach its function on one machine? By asking the account for it, with the SDK.

The connection is a connection string, `AccountEndpoint=…;AccountKey=…;`, as `func start` takes it; without a key the
person's own Azure identity is used. Database, container, pause and size of a batch come from the trigger. The place in
the feed lies in the task hub and moves after the function has returned, so a batch comes at least once. There is one
host, so leases are not used and their container is not touched.

Source: learn.microsoft.com/azure/cosmos-db/nosql/change-feed-pull-model.
"""

from __future__ import annotations

import logging
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
from local_host.triggers.feeds import call_with_retries, documents_given

log = logging.getLogger("local_host.triggers.feeds")


class CosmosFeedTrigger:
    """One change feed function whose documents lie in Cosmos DB."""

    def __init__(
        self,
        function: Function,
        *,
        settings: Mapping[str, str],
        hub: TaskHub,
        clock: Clock,
        invoker: Invoker,
    ) -> None:
        trigger = function.trigger
        self._function = function
        self._hub = hub
        self._clock = clock
        self._invoker = invoker
        self._connection = settings[trigger["connection"]]
        self._database = str(trigger["databaseName"])
        self._container = str(trigger["containerName"])
        self._batch = int(trigger.get("maxItemsPerInvocation") or _BATCH_DOCUMENTS)
        self._pause = timedelta(milliseconds=int(trigger.get("feedPollDelay") or _POLL_MS))
        self._start = "Beginning" if trigger.get("startFromBeginning") else "Now"
        prefix = trigger.get("leaseContainerPrefix") or ""
        self._lease = f"{prefix}{function.name}@{_parts(self._connection)['AccountEndpoint']}{self._container}"
        self._fault = ""
        hub.db.execute(_SCHEMA)

    async def run(self) -> None:
        """Deliver what comes until cancelled."""
        parts = _parts(self._connection)
        key = parts.get("AccountKey")
        credential = None if key else DefaultAzureCredential()
        client = CosmosClient(
            parts["AccountEndpoint"], credential=key or credential, enable_endpoint_discovery=key is None
        )
        container = client.get_database_client(self._database).get_container_client(self._container)
        try:
            while True:
                if not await self._deliver(container):
                    await self._clock.sleep_until(self._clock.now() + self._pause)
        finally:
            await client.close()
            if credential is not None:
                await credential.close()

    async def run_once(self, text: str) -> None:
        """Call the function with documents that somebody gave by hand, as JSON text."""
        await self._invoker.call(self._function, documents_given(text))

    async def _deliver(self, container: ContainerProxy) -> bool:
        """Deliver one batch; return whether there was one."""
        try:
            items, token = await self._read(container)
        except AzureError as fault:
            # Not there yet, or not answering: looked at again soon.
            if str(fault) != self._fault:
                self._fault = str(fault)
                log.info("Feed function '%s' waits for its container: %s", self._function.name, fault)
            return False
        if items:
            what = f"{len(items)} documents of '{self._container}'"
            documents = DocumentList(Document.from_dict(item) for item in items)
            await call_with_retries(self._function, documents, what=what, invoker=self._invoker, clock=self._clock)
        if token is not None:
            self._hub.db.execute(_STORE, (self._lease, token))
        return bool(items)

    async def _read(self, container: ContainerProxy) -> tuple[list[dict[str, Any]], str | None]:
        row = self._hub.db.execute("SELECT token FROM cosmos_feeds WHERE lease=?", (self._lease,)).fetchone()
        where = {"continuation": row[0]} if row is not None else {"start_time": self._start}
        pages = container.query_items_change_feed(max_item_count=self._batch, **where).by_page()
        async for page in pages:
            return [item async for item in page], pages.continuation_token
        return [], pages.continuation_token


_BATCH_DOCUMENTS = 100
_POLL_MS = 5_000

_SCHEMA = "CREATE TABLE IF NOT EXISTS cosmos_feeds(lease TEXT PRIMARY KEY, token TEXT NOT NULL)"
_STORE = "INSERT INTO cosmos_feeds(lease,token) VALUES(?,?) ON CONFLICT(lease) DO UPDATE SET token=excluded.token"


def _parts(connection: str) -> dict[str, str]:
    """Return the parts of a connection string.

    >>> _parts("AccountEndpoint=https://a.documents.azure.com/;AccountKey=a2V5PT0=;")
    {'AccountEndpoint': 'https://a.documents.azure.com/', 'AccountKey': 'a2V5PT0='}
    """
    pairs = (part.partition("=") for part in connection.split(";") if part)
    return {name: value for name, _, value in pairs}
