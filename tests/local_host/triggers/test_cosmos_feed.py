"""Cosmos DB's change feed through the real SDK; the feed's REST form is served by tests/cosmos_server/serve.js."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import chain
from pathlib import Path

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient

from local_host.app.functions import FEED
from local_host.durable.hub import TaskHub
from local_host.triggers.cosmos_feed import CosmosFeedTrigger
from tests.cosmos_server.server import KEY, CosmosServer
from tests.local_host.driving import loaded
from tests.local_host.triggers.driving import FEEDS, hub_and_invoker
from tests.virtual_clock import VirtualClock
from tests.waiting import HANG_GUARD_S, until_async


class Feeding:
    """An app with feed functions, a container, and a host that is restarted."""

    def __init__(self, server: CosmosServer, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        server.opened += 1
        self.endpoint = server.endpoint
        self.database = f"feed{server.opened}"
        connection = f"AccountEndpoint={server.endpoint};AccountKey={KEY};"
        monkeypatch.setenv("FEED", connection)
        self.settings = {"FEED": connection}
        app = loaded(folder, FEEDS.replace('database_name="d"', f'database_name="{self.database}"'))
        [self.function] = [each for each in app.functions if each.kind == FEED and each.name == name]
        self.batches: list[list[int]] = self.function.call.__globals__["batches"]
        self.faults: list[Exception] = self.function.call.__globals__["faults"]
        self.clock = VirtualClock()

    def run(
        self, steps: Callable[[ContainerProxy | None], Awaitable[None]], hub: TaskHub, *, made: bool = True
    ) -> None:
        """Take steps beside a running trigger. Errors: what the trigger ended with."""

        async def both() -> None:
            with_invoker = hub_and_invoker()
            async with CosmosClient(self.endpoint, KEY, enable_endpoint_discovery=False) as client:
                container = await self.make(client) if made else None
                with with_invoker as (_, invoker):
                    trigger = CosmosFeedTrigger(
                        self.function, settings=self.settings, hub=hub, clock=self.clock, invoker=invoker
                    )
                    task = asyncio.create_task(trigger.run())
                    try:
                        await steps(container)
                    finally:
                        task.cancel()
                        with suppress(asyncio.CancelledError):
                            await task

        asyncio.run(both())

    async def make(self, client: CosmosClient) -> ContainerProxy:
        database = await client.create_database_if_not_exists(self.database)
        return await database.create_container_if_not_exists("events", PartitionKey("/job"))

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(HANG_GUARD_S):
            while not wanted():
                await asyncio.sleep(0.01)
                if (due := self.clock.next_alarm()) is not None:
                    self.clock.advance_to(due)


async def write(container: ContainerProxy | None, *numbers: int) -> None:
    assert container is not None
    for number in numbers:
        await container.create_item({"id": str(number), "job": str(number % 3), "n": number})


def test_batches_come_in_order_and_a_new_host_continues_after_them(
    cosmos_server: CosmosServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeding = Feeding(cosmos_server, tmp_path, monkeypatch, "patient")

    async def first(container: ContainerProxy | None) -> None:
        await write(container, 1, 2, 3, 4)
        await feeding.until(lambda: [*chain.from_iterable(feeding.batches)] == [1, 2, 3, 4])

    async def second(container: ContainerProxy | None) -> None:
        await write(container, 5)
        await feeding.until(lambda: [*chain.from_iterable(feeding.batches)] == [1, 2, 3, 4, 5])

    hub = TaskHub()
    feeding.run(first, hub)
    feeding.run(second, hub)
    assert all(len(batch) <= 3 for batch in feeding.batches)
    hub.close()


def test_a_failed_batch_is_delivered_again(
    cosmos_server: CosmosServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeding = Feeding(cosmos_server, tmp_path, monkeypatch, "patient")
    feeding.faults.append(ValueError("not now"))

    async def steps(container: ContainerProxy | None) -> None:
        await write(container, 1)
        await feeding.until(lambda: feeding.batches == [[1], [1]])

    hub = TaskHub()
    feeding.run(steps, hub)
    hub.close()


def test_a_feed_waits_for_its_container(
    cosmos_server: CosmosServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeding = Feeding(cosmos_server, tmp_path, monkeypatch, "patient")

    async def steps(_: ContainerProxy | None) -> None:
        await until_async(lambda: feeding.clock.next_alarm() is not None)  # it has looked, and sleeps
        async with CosmosClient(feeding.endpoint, KEY, enable_endpoint_discovery=False) as client:
            await write(await feeding.make(client), 1)
            await feeding.until(lambda: feeding.batches == [[1]])

    hub = TaskHub()
    feeding.run(steps, hub, made=False)
    hub.close()
