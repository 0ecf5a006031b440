"""A live API for the examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from drills.orphans import kill_jobs
from mayfly.cli.host_process import LocalHost, free_port
from mayfly.client.connection import local_key


@dataclass(frozen=True, kw_only=True)
class LiveApi:
    """The address and the key of the API for an example."""

    url: str
    key: str

    def environment(self) -> dict[str, str]:
        return {"MAYFLY_URL": self.url, "MAYFLY_KEY": self.key}


@pytest.fixture(scope="module")
def live_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    data = tmp_path_factory.mktemp("examples")
    host = LocalHost(data, free_port())
    child = host.start()
    try:
        child.wait_until_ready()
        key = local_key(data)
        assert key is not None
        yield LiveApi(url=host.url, key=key)
    finally:
        child.stop()
        kill_jobs(data)
