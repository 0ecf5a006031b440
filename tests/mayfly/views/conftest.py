"""Fixtures for the tests of views in Cosmos DB."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from mayfly.views.cosmos.job_views import CosmosJobViews
from tests.cosmos_server.server import CosmosServer


@pytest.fixture
def two(cosmos_server: CosmosServer, runner: asyncio.Runner) -> Iterator[tuple[CosmosJobViews, CosmosJobViews]]:
    """Two processes that work on the same views."""
    first = CosmosJobViews(cosmos_server.account())
    second = CosmosJobViews(cosmos_server.account(f"test{cosmos_server.opened}"))
    yield first, second
    runner.run(first.close())
    runner.run(second.close())
    cosmos_server.meet()
