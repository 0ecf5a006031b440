"""A query returns the items of all pages, and its errors are translated."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from mayfly.cosmos.account import CosmosAccount
from mayfly.cosmos.queries import query
from mayfly.errors import TryAgain
from tests.cosmos_server.server import CosmosServer

_ITEMS = 250
"""More than one page of the SDK."""


@pytest.fixture
def account(cosmos_server: CosmosServer, runner: asyncio.Runner) -> Iterator[CosmosAccount]:
    account = cosmos_server.account()
    account.join()

    async def fill() -> None:
        container = await account.container("events")
        for number in range(_ITEMS):
            await container.create_item(
                {"id": f"item-{number:03}", "job_id": f"job-{number % 50}", "even": number % 2 == 0}
            )

    runner.run(fill())
    yield account
    runner.run(account.leave())
    cosmos_server.meet()


async def _query(account: CosmosAccount, text: str, **options: Any) -> list[Any]:
    return await query(account, "events", "the event log could not be read", "list", text, **options)


def test_every_page_of_every_partition_is_returned(account: CosmosAccount, runner: asyncio.Runner) -> None:
    found = runner.run(_query(account, "SELECT VALUE c.id FROM c"))
    assert sorted(found) == [f"item-{number:03}" for number in range(_ITEMS)]


def test_parameters_select_items(account: CosmosAccount, runner: asyncio.Runner) -> None:
    text = "SELECT VALUE c.id FROM c WHERE c.even = @even AND c.id < @below"
    found = runner.run(_query(account, text, parameters={"@even": False, "@below": "item-005"}))
    assert sorted(found) == ["item-001", "item-003"]


def test_an_unavailable_account_is_retried_later(
    cosmos_server: CosmosServer, account: CosmosAccount, runner: asyncio.Runner
) -> None:
    cosmos_server.meet(
        {"verb": "POST", "path": "/colls/events/docs", "do": "answer", "times": 99, "status": 403, "body": {}}
    )
    with pytest.raises(TryAgain, match="the event log could not be read: the identity lacks its data role here"):
        runner.run(_query(account, "SELECT * FROM c"))
