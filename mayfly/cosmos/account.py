"""The connection to one Cosmos DB account: its client, containers, charges and errors.

In Azure, Bicep creates the database and its containers from the same containers.json, because no data role may create
them. With a key, which is used only with emulators, missing containers are created on first use.
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
"""The SDK's default of 9 tries gives up within a second if the server requests pauses of 100 ms."""
THROTTLE_WAIT_S = 60
WRITE_TRIES = 3
"""Tries for a write whose answer was lost. This is safe because every adapter recognizes its own earlier write."""

Charge = Callable[[Mapping[str, Any], Any], None]

_RETRYABLE = {408, 410, 429, 449, 500, 502, 503, 504}
_READ_SESSION_NOT_AVAILABLE = 1002
"""The replica lags behind what this client has read. Source: azure.cosmos.http_constants."""
_HINTS = {
    401: "the key or the token was not accepted; emulators need MAYFLY_COSMOS_KEY",
    403: "the identity lacks its data role here, or received it only minutes ago; see docs/security.md",
    404: "the database or a container is missing; Bicep creates them, see docs/deploy.md",
}

_logger = logging.getLogger("mayfly.cosmos")
_charges = metrics.get_meter("mayfly.cosmos").create_histogram(
    "mayfly.cosmos.request_charge", unit="{RU}", description="Request units of each call, by container and operation"
)


class CosmosAccount:
    """A client that several adapters share; the last one to leave closes it. Use from one event loop."""

    def __init__(
        self, endpoint: str, key: str | None = None, *, database: str = LAYOUT["database"], reads_only: bool = False
    ) -> None:
        """Send nothing yet.

        Shapes: `key` None: use `DefaultAzureCredential`, which needs https. `reads_only`: never create a container.
        """
        self._credential = None if key else DefaultAzureCredential()
        self._client = CosmosClient(
            endpoint,
            credential=key or self._credential,
            # An emulator reports addresses that only it can reach.
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
        """Register an adapter that uses the account."""
        self._users += 1

    async def leave(self) -> None:
        """Unregister an adapter, and close the client after the last one."""
        self._users -= 1
        if self._users == 0:
            await self._client.close()
            if self._credential is not None:
                await self._credential.close()

    async def container(self, name: str) -> ContainerProxy:
        """Return a container of the layout.

        Errors: `TryAgain` if it must be created and the account does not answer.
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
            # The SDK checks first and then creates; another process may create it in between.
            with contextlib.suppress(CosmosResourceExistsError):
                await self._client.create_database_if_not_exists(self._database.id)
            with contextlib.suppress(CosmosResourceExistsError):
                await self._database.create_container_if_not_exists(
                    name,
                    PartitionKey(path=layout["partitionKey"]["paths"][0]),
                    indexing_policy=layout["indexingPolicy"],
                )
        except AzureError as error:
            raise translated(error, f"the container {name!r} could not be created") from error


def charge_of(container: str, operation: str) -> Charge:
    """Return a `response_hook` for the SDK that records the charge of a call."""
    attributes = {"container": container, "operation": operation}

    def record(headers: Mapping[str, Any], _: Any) -> None:
        units = float(headers.get("x-ms-request-charge") or 0)
        _charges.record(units, attributes)
        _logger.debug("%s on %s: %g RU", operation, container, units)

    return record


def translated(error: Exception, failure: str) -> Exception:
    """Return the error to raise for an error of the SDK.

    Shapes: `TryAgain` if the cause may pass or an operator can fix it; the error itself if it is a bug in Mayfly.
    `failure` begins its text, such as "the event log could not be read".
    """
    status = getattr(error, "status_code", None)
    lagging = status == 404 and getattr(error, "sub_status", None) == _READ_SESSION_NOT_AVAILABLE
    if isinstance(error, CosmosClientTimeoutError) or status is None or status in _RETRYABLE or lagging:
        return TryAgain(f"{failure}: {_first_line(error)}")
    if status in _HINTS:
        return TryAgain(f"{failure}: {_HINTS[status]} ({_first_line(error)})")
    return error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]
