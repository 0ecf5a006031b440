"""What tests in several folders share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell gives this to what it starts in the background, and all that tests start would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ["MAYFLY_QUEUE"] = "jobs"  # before the app is imported: it listens to a queue only where one is named

from tests.cosmos_server.server import CosmosServer, running


@pytest.fixture(scope="session")
def cosmos_server() -> Iterator[CosmosServer]:
    """One server for each process of tests."""
    with running() as server:
        yield server
