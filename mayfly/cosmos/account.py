"""One Cosmos DB account, as this process talks to it: one client, its containers, what it costs, and its errors.

In Azure the database and its containers come from Bicep, which reads the same containers.json, because no data role may
create them. With a key, which only an emulator is given, what is missing is made at the first use.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosClientTimeoutError, CosmosResourceExistsError
from azure.identity.aio import DefaultAzureCredential
from opentelemetry import metrics

from mayfly.errors import TryAgain

LAYOUT: Mapping[str, Any] = json.loads((Path(__file__).parent / "containers.json").read_text(encoding="utf-8"))
"""`{database, containers: {name: {partitionKey, indexingPolicy}}}`; bicep/modules/cosmos.bicep reads the same file."""

THROTTLE_TRIES = 20
"""The SDK's own default of 9 tries gives up within a second when the server asks for pauses of 100 ms."""
THROTTLE_WAIT_S = 60
WRITE_TRIES = 3
"""Of a write whose answer was lost. Safe here: every adapter recognises its own write when it meets it again."""

Charge = Callable[[Mapping[str, Any], Any], None]

_RETRYABLE = {408, 410, 429, 449, 500, 502, 503, 504}
_READ_SESSION_NOT_AVAILABLE = 1002
"""The replica that was asked lags behind what this client has seen. Source: azure.cosmos.http_constants."""
_HINTS = {
    401: "the key or the token was not accepted; emulators need MAYFLY_COSMOS_KEY",
    403: "the identity lacks its data role here, or it was given only minutes ago; see docs/security.md",
    404: "the database or a container is missing; Bicep makes them, see docs/deploy.md",
}

_logger = logging.getLogger("mayfly.cosmos")
_charges = metrics.get_meter("mayfly.cosmos").create_histogram(
    "mayfly.cosmos.request_charge", unit="{RU}", description="Request units of each call, by container and operation"
)


class CosmosAccount:
    """Use from one event loop; several adapters share it, and the last of them to close closes it."""

    def __init__(
        self, endpoint: str, key: str | None = None, *, database: str = LAYOUT["database"], reads_only: bool = False
    ) -> None:
        """Nothing is sent yet.

        Shapes: `key` None means `DefaultAzureCredential`, which needs https; with `reads_only` nothing is ever made.
        """
        self._credential = None if key else DefaultAzureCredential()
        self._client = CosmosClient(
            endpoint,
            credential=key or self._credential,
            # An emulator tells addresses of itself that only it can reach.
            enable_endpoint_discovery=key is None,
            retry_throttle_total=THROTTLE_TRIES,
            retry_throttle_backoff_max=THROTTLE_WAIT_S,
        )
        self._may_create = key is not None and not reads_only
        self._ready = asyncio.Lock()
        self._database = self._client.get_database_client(database)
        self._users = 0
        self._made: set[str] = set()

    def join(self) -> None:
        """Count one more adapter that uses it."""
        self._users += 1

    async def leave(self) -> None:
        """Count one less, and close after the last."""
        self._users -= 1
        if self._users == 0:
            await self._client.close()
            if self._credential is not None:
                await self._credential.close()

    async def container(self, name: str) -> ContainerProxy:
        """Return a container of the layout.

        Errors: `TryAgain` when it has to be made and the account does not answer.
        """
        if self._may_create and name not in self._made:
            async with self._ready:
                if name not in self._made:
                    await self._create(name)
                    self._made.add(name)
        return self._database.get_container_client(name)

    async def _create(self, name: str) -> None:
        layout = LAYOUT["containers"][name]
        try:
            # The SDK looks first and creates then; where another process comes in between, it has created.
            with contextlib.suppress(CosmosResourceExistsError):
                await self._client.create_database_if_not_exists(self._database.id)
            with contextlib.suppress(CosmosResourceExistsError):
                await self._database.create_container_if_not_exists(
                    name,
                    PartitionKey(path=layout["partitionKey"]["paths"][0]),
                    indexing_policy=layout["indexingPolicy"],
                )
        except AzureError as error:
            raise translated(error, f"the container {name!r} could not be made") from error


def charge_of(container: str, operation: str) -> Charge:
    """Return the SDK's `response_hook` that records what a call cost."""
    attributes = {"container": container, "operation": operation}

    def record(headers: Mapping[str, Any], _: Any) -> None:
        units = float(headers.get("x-ms-request-charge") or 0)
        _charges.record(units, attributes)
        _logger.debug("%s on %s: %g RU", operation, container, units)

    return record


def translated(error: Exception, what: str) -> Exception:
    """Return the error that says what a caller can do about it.

    Shapes: `TryAgain` for whatever may pass or is an operator's to mend; the error itself for a defect of ours.
    """
    status = getattr(error, "status_code", None)
    lagging = status == 404 and getattr(error, "sub_status", None) == _READ_SESSION_NOT_AVAILABLE
    if isinstance(error, CosmosClientTimeoutError) or status is None or status in _RETRYABLE or lagging:
        return TryAgain(f"{what}: {_first_line(error)}")
    if status in _HINTS:
        return TryAgain(f"{what}: {_HINTS[status]} ({_first_line(error)})")
    return error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]
