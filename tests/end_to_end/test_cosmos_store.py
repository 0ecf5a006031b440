"""`mayfly up` with MAYFLY_STORE=cosmos: the whole app over a Cosmos DB server, and its feed from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mayfly.cli.host_process import LocalHost, free_port
from mayfly.client.api import Api
from tests.cosmos_server.server import KEY, CosmosServer
from tests.waiting import until


def _until_listed(api: Api, job_id: str, state: str) -> None:
    until(lambda: job_id in [job.job_id for job in api.jobs(state=state)], shown=lambda: api.job(job_id))


def test_a_job_runs_is_listed_and_exported_and_a_new_host_knows_it(
    cosmos_server: CosmosServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAYFLY_STORE", "cosmos")
    monkeypatch.setenv("MAYFLY_COSMOS_ENDPOINT", cosmos_server.endpoint)
    monkeypatch.setenv("MAYFLY_COSMOS_KEY", KEY)
    host = LocalHost(tmp_path / "data", free_port(), log=tmp_path / "host.log")
    child = host.start()
    try:
        child.wait_until_ready()
        with host.api() as api:
            job_id = api.submit(
                {"command": ["sh", "-c", "echo '::result {\"n\": 9007199254740993}'"]}, idempotency_key="one"
            )
            _until_listed(api, job_id, "succeeded")
            assert (
                api.submit(
                    {"command": ["sh", "-c", "echo '::result {\"n\": 9007199254740993}'"]}, idempotency_key="one"
                )
                == job_id
            )
    finally:
        child.kill()
    child = host.start()
    try:
        child.wait_until_ready()
        with host.api() as api:
            assert api.job(job_id).result == {"n": 2**53 + 1}
            exported = [event for event in api.all_events() if event["job_id"] == job_id]
            assert [event["position"] for event in exported] == list(range(1, len(exported) + 1))
            second = api.submit({"message": "again"}, idempotency_key="two")
            _until_listed(api, second, "succeeded")
    finally:
        child.stop()
    assert "Unclosed" not in (tmp_path / "host.log").read_text(), "aiohttp found an unclosed session"
    assert not (tmp_path / "data" / "log.db").exists()
