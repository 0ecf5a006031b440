"""A log on the server, for tests that need more than the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from mayfly.log.cosmos.event_log import CosmosEventLog
from tests.cosmos_server.server import CosmosServer
from tests.mayfly.jobs.samples import opening


@contextmanager
def log_with_one_job(server: CosmosServer, runner: asyncio.Runner) -> Iterator[CosmosEventLog]:
    """Open a log in a new database, with the submission of one job; afterward the server has no faults."""
    log = CosmosEventLog(server.account())
    runner.run(log.append([opening()], expected_position=0))
    yield log
    runner.run(log.close())
    server.meet()
