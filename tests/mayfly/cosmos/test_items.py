"""Reading, writing and deleting one item: a missing item is a normal answer, and a missing container is an error."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from mayfly.cosmos.items import CosmosItems
from mayfly.errors import TryAgain
from tests.cosmos_server.server import CosmosServer


@pytest.fixture
def items(cosmos_server: CosmosServer, runner: asyncio.Runner) -> Iterator[CosmosItems]:
    items = CosmosItems(cosmos_server.account(), "ledger", "the ledger")
    runner.run(items.write({"id": "one", "value": 1}, operation="write"))
    yield items
    runner.run(items.close())
    cosmos_server.meet()


def _not_found(verb: str, sub_status: str) -> dict[str, Any]:
    return {
        "verb": verb, "path": "/colls/ledger/docs", "do": "answer", "times": 99, "status": 404,
        "headers": {"x-ms-substatus": sub_status}, "body": {"code": "NotFound", "message": "Owner resource is missing"},
    }  # fmt: skip


def test_an_item_is_read_until_it_is_deleted(items: CosmosItems, runner: asyncio.Runner) -> None:
    found = runner.run(items.read("one", "one"))
    assert found is not None
    assert found["value"] == 1
    runner.run(items.delete("one", "one"))
    assert runner.run(items.read("one", "one")) is None
    runner.run(items.delete("one", "one"))


def test_of_two_writers_the_second_must_read_again(items: CosmosItems, runner: asyncio.Runner) -> None:
    found = runner.run(items.read("one", "one"))
    assert found is not None
    assert runner.run(items.write({"id": "one"}, operation="write")) is None
    replaced = runner.run(items.write({"id": "one", "value": 2}, etag=found["_etag"], operation="write"))
    assert replaced is not None
    assert runner.run(items.write({"id": "one", "value": 3}, etag=found["_etag"], operation="write")) is None
    runner.run(items.delete("one", "one"))
    assert runner.run(items.write({"id": "one", "value": 4}, etag=replaced["_etag"], operation="write")) is None


@pytest.mark.parametrize("sub_status", ["1003", "1024"], ids=["no container", "incorrect container id"])
def test_a_404_with_a_sub_status_does_not_mean_a_missing_item(
    cosmos_server: CosmosServer, items: CosmosItems, runner: asyncio.Runner, sub_status: str
) -> None:
    cosmos_server.meet(_not_found("GET", sub_status))
    with pytest.raises(TryAgain, match="the ledger could not be read"):
        runner.run(items.read("one", "one"))
    cosmos_server.meet(_not_found("DELETE", sub_status))
    with pytest.raises(TryAgain, match="the ledger could not be cleared"):
        runner.run(items.delete("one", "one"))
    cosmos_server.meet(_not_found("PUT", sub_status))
    with pytest.raises(TryAgain, match="the ledger could not be written"):
        runner.run(items.write({"id": "one"}, etag="any", operation="write"))


def test_a_query_returns_the_items_of_all_pages(items: CosmosItems, runner: asyncio.Runner) -> None:
    for number in range(250):
        runner.run(items.write({"id": f"item-{number:03}", "even": number % 2 == 0}, operation="write"))
    found = runner.run(items.query("list", "SELECT VALUE c.id FROM c"))
    assert sorted(found) == [*(f"item-{number:03}" for number in range(250)), "one"]
    text = "SELECT VALUE c.id FROM c WHERE c.even = @even AND c.id < @below"
    found = runner.run(items.query("list", text, {"@even": False, "@below": "item-005"}))
    assert sorted(found) == ["item-001", "item-003"]
