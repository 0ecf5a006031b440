"""Reading and deleting one item: a missing item is a normal answer, and a missing container is an error."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from mayfly.cosmos.account import CosmosAccount
from mayfly.cosmos.items import delete_item, read_item
from mayfly.errors import TryAgain
from tests.cosmos_server.server import CosmosServer


@pytest.fixture
def account(cosmos_server: CosmosServer, runner: asyncio.Runner) -> Iterator[CosmosAccount]:
    account = cosmos_server.account()
    account.join()
    container = runner.run(account.container("ledger"))
    runner.run(container.create_item({"id": "one", "value": 1}))
    yield account
    runner.run(account.leave())
    cosmos_server.meet()


async def _read(account: CosmosAccount, item_id: str) -> dict[str, Any] | None:
    return await read_item(account, "ledger", "the ledger could not be read", "read", item_id, item_id)


async def _delete(account: CosmosAccount, item_id: str) -> None:
    await delete_item(account, "ledger", "the ledger could not be cleared", "delete", item_id, item_id)


def _not_found(verb: str, sub_status: str) -> dict[str, Any]:
    return {
        "verb": verb, "path": "/colls/ledger/docs", "do": "answer", "times": 99, "status": 404,
        "headers": {"x-ms-substatus": sub_status}, "body": {"code": "NotFound", "message": "Owner resource is missing"},
    }  # fmt: skip


def test_an_item_is_read_until_it_is_deleted(account: CosmosAccount, runner: asyncio.Runner) -> None:
    found = runner.run(_read(account, "one"))
    assert found is not None
    assert found["value"] == 1
    runner.run(_delete(account, "one"))
    assert runner.run(_read(account, "one")) is None
    runner.run(_delete(account, "one"))


@pytest.mark.parametrize("sub_status", ["1003", "1024"], ids=["no container", "incorrect container id"])
def test_a_404_with_a_sub_status_does_not_mean_a_missing_item(
    cosmos_server: CosmosServer, account: CosmosAccount, runner: asyncio.Runner, sub_status: str
) -> None:
    cosmos_server.meet(_not_found("GET", sub_status))
    with pytest.raises(TryAgain, match="the ledger could not be read"):
        runner.run(_read(account, "one"))
    cosmos_server.meet(_not_found("DELETE", sub_status))
    with pytest.raises(TryAgain, match="the ledger could not be cleared"):
        runner.run(_delete(account, "one"))
