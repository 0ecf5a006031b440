"""What tests in several folders share."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell gives this to what it starts in the background, and all that tests start would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ["MAYFLY_QUEUE"] = "jobs"  # before the app is imported: it listens to a queue only where one is named

from tests.cosmos_server.server import CosmosServer, running

collect_ignore = ["images"]
"""Building images takes minutes and downloads hundreds of megabytes: `pytest tests/images`, as CI does."""


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for a test and what it has open, closed after both."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def cosmos_server() -> Iterator[CosmosServer]:
    """One server for each process of tests."""
    with running() as server:
        yield server
