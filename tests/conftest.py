"""What tests in several folders share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cosmos_server.server import CosmosServer, running


@pytest.fixture(scope="session")
def cosmos_server() -> Iterator[CosmosServer]:
    """One server for each process of tests."""
    with running() as server:
        yield server
