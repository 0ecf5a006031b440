"""What do change feed triggers have in common, whichever store their documents are in?

A trigger delivers batches in order and at least once. Its position in the feed is kept in the task hub and moves after
the function returns. A failed batch is retried as the function's retry policy says. Without a policy, or after the last
retry, the batch is skipped, as in Azure, and the log names it.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-cosmosdb-v2-trigger.
"""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping

from azure.functions import Document, DocumentList

from local_host.app.functions import Function
from local_host.app.invocation import Invoker
from local_host.clock import Clock
from local_host.durable.hub import TaskHub

log = logging.getLogger("local_host.triggers.change_feed")


class ChangeFeedTrigger(ABC):
    """One change feed function.

    Shapes: `settings` are the app settings; they hold the connection under the name that the trigger gives.
    """

    def __init__(
        self, function: Function, *, settings: Mapping[str, str], hub: TaskHub, clock: Clock, invoker: Invoker
    ) -> None:
        trigger = function.trigger
        self.function = function
        self._hub = hub
        self._clock = clock
        self._invoker = invoker
        self._connection = settings[trigger["connection"]]
        self._container = str(trigger["containerName"])
        self._lease_prefix = f"{trigger.get('leaseContainerPrefix') or ''}{function.name}@"
        self._batch = int(trigger.get("maxItemsPerInvocation") or _BATCH_DOCUMENTS)
        self._from_beginning = bool(trigger.get("startFromBeginning"))
        self._last_fault = ""

    @abstractmethod
    async def run(self) -> None:
        """Deliver batches until canceled."""

    async def run_once(self, text: str) -> None:
        """Call the function with documents given by a person, as JSON text: a list, one document, or empty."""
        given = json.loads(text) if text else []
        items = given if isinstance(given, list) else [given]
        await self._invoker.call(self.function, DocumentList(Document.from_dict(item) for item in items))

    async def _call_with_retries(self, documents: DocumentList, *, batch: str) -> None:
        """Call the function until it succeeds or its retry policy gives up; `batch` names the documents in the log."""
        if not await self._invoker.call_with_retries(self.function, documents, self._clock, on=f" on {batch}"):
            log.error("Change feed function '%s' is skipping %s.", self.function.name, batch)

    def _log_fault(self, source: object, fault: Exception) -> None:
        """Log why the feed cannot be read, unless the last message was the same; the trigger polls again."""
        if str(fault) != self._last_fault:
            self._last_fault = str(fault)
            log.info("Change feed function '%s' is waiting for %s: %s", self.function.name, source, fault)


_BATCH_DOCUMENTS = 100
