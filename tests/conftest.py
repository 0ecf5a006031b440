"""Fixtures and settings that tests in several folders share."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell ignores SIGINT for background commands, and every process that tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ["MAYFLY_QUEUE"] = "jobs"  # before the app is imported: it listens to a queue only if one is named

from tests.cosmos_server.server import CosmosServer, running
from tests.sampling import examples
from tests.unclosed import watch_connections

watch_connections()


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_open() -> Iterator[None]:
    """Collect garbage after each module, so that unclosed objects fail its own tests and not another module's."""
    yield
    gc.collect()


settings.register_profile("mayfly", parent=examples(100))
settings.load_profile("mayfly")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "seeded: draws from seeds; `make soak` runs it with many")
    config.addinivalue_line("markers", "scale: hundreds of jobs at once; only `make soak` runs it")


def pytest_xdist_auto_num_workers() -> int:
    """Start two processes more than there are CPUs: many tests wait for a host or a browser."""
    return (os.cpu_count() or 1) + 2


collect_ignore = ["images"]
"""Building images takes minutes and downloads hundreds of megabytes: `pytest tests/images`, as CI does."""


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for a test and its open resources, closed after both."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def cosmos_server() -> Iterator[CosmosServer]:
    """One server for each process of tests."""
    with running() as server:
        yield server
