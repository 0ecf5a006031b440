"""Mayfly's own host with `MAYFLY_RUNTIME=aci`: real processes, real time, real workers behind the fake's groups.

The canary: a secret from the store must not appear in anything that the host leaves behind.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.host import ROOT, Host, running_host
from mayfly.containers.processes.runtime import ProcessRuntime
from tests.fake_arm.arm import FakeArm
from tests.fake_arm.backing import ProcessBacking
from tests.fake_arm.limits import Limits
from tests.fake_arm.threaded import serving_on_a_thread
from tests.waiting import HANG_GUARD_S, until

CANARY = "canary-7f3a-Geheimnis"
_TELLS = """
import json, os, sys
secret = os.environ["DB_PASSWORD"]
print("connecting with", secret, flush=True)
print("::progress 0.5 as", secret, flush=True)
print("::result", json.dumps({"user": secret}), flush=True)
print("failed with", secret, file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


@dataclass(frozen=True, kw_only=True)
class _Azure:
    """The fake platform, its containers, and its address."""

    arm: FakeArm
    processes: ProcessRuntime
    endpoint: str


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[_Azure]:
    worker = (sys.executable, "-I", "-S", str(ROOT / "worker" / "__main__.py"))
    processes = ProcessRuntime(tmp_path / "groups", worker_command=worker)
    arm = FakeArm(
        clock=lambda: datetime.now(UTC),
        backing=ProcessBacking(processes),
        limits=Limits(cores=10),
        start_after_s=0.05,
        gone_after_s=0.1,
    )

    async def delete_all() -> None:
        for listing in await processes.list():
            await processes.delete(listing.group, place="local")

    with serving_on_a_thread(arm, finish=delete_all) as endpoint:
        yield _Azure(arm=arm, processes=processes, endpoint=endpoint)


@contextmanager
def _host(azure: _Azure, **more: str) -> Iterator[tuple[Host, httpx.Client]]:
    environment = {
        "MAYFLY_RUNTIME": "aci",
        "MAYFLY_ARM_ENDPOINT": azure.endpoint,
        "MAYFLY_SUBSCRIPTION": "s",
        "MAYFLY_RESOURCE_GROUP": "rg",
        "MAYFLY_PLACES": "swedencentral:4:16,westeurope",
        "MAYFLY_WORKER_IMAGE": "mayfly.azurecr.io/worker:1",
        "MAYFLY_WORKER_IDENTITY": "/subscriptions/s/resourceGroups/rg/providers/x/userAssignedIdentities/worker",
        **more,
    }
    with running_host(app=ROOT, environment=environment) as host:
        headers = {"x-functions-key": host.key}
        with httpx.Client(
            base_url=f"http://127.0.0.1:{host.port}/api", headers=headers, timeout=HANG_GUARD_S
        ) as client:
            yield host, client


def _submit(client: httpx.Client, spec: Mapping[str, Any]) -> str:
    answer = client.post("/jobs", json=spec)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def _settled(client: httpx.Client, job_id: str) -> dict[str, Any]:
    """Wait until the job is over and its containers are confirmed gone."""
    job: dict[str, Any] = {}

    def is_settled() -> bool:
        job.update(client.get(f"/jobs/{job_id}").json())
        gone = all(attempt["container"] == "gone" for attempt in job["attempts"])
        return job["state"] in ("succeeded", "failed", "timed_out", "canceled") and gone

    until(is_settled, shown=lambda: job)
    return job


def test_jobs_run_on_the_fake_with_real_workers(azure: _Azure) -> None:
    with _host(azure) as (_, client):
        specs: list[dict[str, Any]] = [
            {"message": "hello", "env": {"MAYFLY_WORK_SECONDS": "0.2"}},
            {"command": ["/bin/sh", "-c", 'echo "::result {\\"n\\": 3}"']},
            {"command": ["/bin/sh", "-c", "exit 3"]},
            {"command": ["/bin/sh", "-c", "sleep 600"], "name": "endless"},
        ]
        job_ids = [_submit(client, spec) for spec in specs]
        until(lambda: client.get(f"/jobs/{job_ids[3]}").json()["state"] == "running")
        client.post(f"/jobs/{job_ids[3]}/cancel", json={})
        jobs = [_settled(client, job_id) for job_id in job_ids]
        assert [job["state"] for job in jobs] == ["succeeded", "succeeded", "failed", "canceled"]
        assert jobs[1]["result"] == {"n": 3}
        assert jobs[2]["attempts"][0]["exit_code"] == 3
        assert azure.arm.groups == {}
        for job_id in job_ids[:3]:
            assert azure.arm.count("PUT", job_id) == 1
            assert azure.arm.count("DELETE", job_id) >= 1
        planned = client.post("/plan", json={"message": "hi", "cpu": 8, "memory_gb": 16}).json()
        assert planned["place"] == "westeurope", "the first place takes 4 cores at most"
        assert planned["price"]["per_hour"] == pytest.approx(8 * 0.0405 + 16 * 0.00445)
        assert planned["obstacles"] == []
        (obstacle,) = client.post("/plan", json={"message": "hi", "cpu": 12}).json()["obstacles"][1:]
        assert obstacle == "the quota of westeurope is 10 cores"


def test_a_secret_is_found_nowhere(azure: _Azure) -> None:
    """I8."""
    spec: dict[str, Any] = {
        "command": [sys.executable, "-c", _TELLS, "0"],
        "secrets": {"DB_PASSWORD": "db-password"},
        "retry": {"max_attempts": 2, "backoff_s": 0},
    }
    with _host(azure, MAYFLY_SECRET_DB_PASSWORD=CANARY) as (host, client):
        good = _submit(client, spec)
        bad = _submit(client, {**spec, "command": [sys.executable, "-c", _TELLS, "7"]})
        azure.arm.switch("inaccessible_image")
        refused = _submit(client, spec)
        missing = _submit(client, {**spec, "secrets": {"DB_PASSWORD": "not-there"}})
        absent = _submit(client, {**spec, "command": ["/no/such/program"], "retry": {"max_attempts": 1}})
        jobs = {job_id: _settled(client, job_id) for job_id in (good, bad, refused, missing, absent)}
        states = [jobs[job_id]["state"] for job_id in (good, bad, refused, missing, absent)]
        assert states == ["succeeded", "failed", "succeeded", "failed", "failed"]
        assert jobs[good]["result"] == {"user": "***"}
        shown = [
            client.get(path).text
            for job_id in jobs
            for path in (f"/jobs/{job_id}", f"/jobs/{job_id}/events", f"/jobs/{job_id}/logs")
        ]
        assert "connecting with ***" in json.dumps(shown)
        assert CANARY not in json.dumps(shown)
        given = [inside.env.get("DB_PASSWORD") for inside in azure.arm.accepted]
        assert given == [CANARY] * 5, "an attempt of each job that was created, and two of the one that failed"
        assert CANARY not in json.dumps(azure.arm.bodies), "Azure gives no secure value back"
        for path in sorted(host.data.rglob("*")):
            if path.is_file():
                assert CANARY.encode() not in path.read_bytes(), path
        kept = sorted(host.data.rglob("*.db"))
        assert {path.stem for path in kept} >= {"log", "views", "intake", "ledger", "hub"}
        for path in kept:
            assert CANARY not in _everything_in(path), path
        assert (host.data / "host.log").stat().st_size > 0


def _everything_in(path: Path) -> str:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return repr([connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables])  # noqa: S608
