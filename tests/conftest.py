"""What tests in several folders share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

os.environ["MAYFLY_QUEUE"] = "jobs"  # before the app is imported: it listens to a queue only where one is named

from tests.cosmos_server.server import CosmosServer, running


@pytest.fixture(scope="session")
def cosmos_server() -> Iterator[CosmosServer]:
    """One server for each process of tests."""
    with running() as server:
        yield server
