"""A local host of the current code, started on the folder that 9e4d491 left when it was killed, finishes its jobs."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.compatibility import recorded
from tests.compatibility.comparing import assert_same_job
from tests.mayfly.composed import REPORT_KEY
from tests.waiting import HANG_GUARD_S, until

ROOT = Path(__file__).parents[2]
EXPECTED = recorded.expected()
JOBS: dict[str, dict[str, Any]] = EXPECTED["jobs"]
IN_FLIGHT: dict[str, str] = EXPECTED["in_flight"]

_LATER = timedelta(seconds=60)
"""After the kill: at this time every hold and every pause before a retry is over, and no job has timed out."""
_TERMINAL = ("succeeded", "failed", "timed_out", "canceled")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return recorded.restore(tmp_path / "data")


@contextmanager
def _host(data: Path) -> Iterator[httpx.Client]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAYFLY_")}
    environment = {
        **inherited,
        "PYTHONPATH": str(ROOT),
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "MAYFLY_DATA": str(data),
        "MAYFLY_QUEUE": "jobs",
        "MAYFLY_COSMOS": f"sqlite:{data / 'log.db'}",
        "MAYFLY_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "MAYFLY_REPORT_KEY": REPORT_KEY.decode(),
    }
    moment = (recorded.killed_at() + _LATER).isoformat()
    command = [sys.executable, "-m", "tests.compatibility.host_at", moment, "start", "--quiet", "--app", str(ROOT)]
    command += ["--port", str(port), "--data", str(data / "host")]
    with (data / "host.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=HANG_GUARD_S) as http:
            until(lambda: _is_well(http, process, data))
            keys = json.loads((data / "host" / "keys.json").read_text())
            http.headers["x-functions-key"] = keys["master"]
            yield http
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(HANG_GUARD_S)


def _is_well(http: httpx.Client, process: subprocess.Popen[bytes], data: Path) -> bool:
    assert process.poll() is None, (data / "host.log").read_text()
    try:
        return http.get("/api/health").status_code == 200
    except httpx.TransportError:
        return False


def _jobs(http: httpx.Client) -> dict[str, dict[str, Any]]:
    listed = http.get("/api/jobs", params={"archived": "true", "limit": "200"}).json()["jobs"]
    return {job["job_id"]: job for job in listed}


def _settled(job: dict[str, Any]) -> bool:
    return job["state"] in _TERMINAL and all(attempt["container"] == "gone" for attempt in job["attempts"])


def test_the_jobs_that_were_in_flight_end_and_none_is_lost(data: Path) -> None:
    """Their containers are gone, as after a restart of the machine."""
    with _host(data) as http:
        jobs = {job_id: http.get(f"/api/jobs/{job_id}") for job_id in JOBS}
        assert {answer.status_code for answer in jobs.values()} == {200}

        until(lambda: IN_FLIGHT["orphan"] in _jobs(http))
        http.post("/admin/functions/reconcile", json={})  # starts the orphan; the timer would do it within 30 s

        def all_settled() -> bool:
            found = _jobs(http)
            return len(found) == len(JOBS) + 1 and all(map(_settled, found.values()))

        until(all_settled, shown=lambda: [job for job in _jobs(http).values() if not _settled(job)])
        found = _jobs(http)
        ends = {name: _end(found[job_id]) for name, job_id in IN_FLIGHT.items()}
        assert ends == {
            "alone": ("failed", "container_lost", 1),
            "outlives": ("failed", "container_lost", 1),
            "again": ("succeeded", None, 2),
            "between": ("succeeded", None, 2),
            "eleventh": ("succeeded", None, 12),
            "deleted": ("canceled", None, 1),
            "held": ("succeeded", None, 1),
            "orphan": ("succeeded", None, 1),
        }
        assert (found[IN_FLIGHT["held"]]["result"], found[IN_FLIGHT["between"]]["result"]) == (2, 2)
        (from_queue,) = found.keys() - JOBS.keys()
        assert found[from_queue]["idempotency_key"] == "message-5", "the message that was received but not processed"
        assert _end(found[from_queue]) == ("succeeded", None, 1)
        for job_id, job in JOBS.items():
            if _settled(job):
                assert_same_job({**job, "links": {}}, {**found[job_id], "links": {}})
        _the_queue_is_empty(http)
        until(lambda: set(_orchestrations(http).values()) == {"Completed"}, shown=lambda: _orchestrations(http))
        assert _orchestrations(http).keys() == found.keys()
    _the_log_only_grew(data)


def _end(job: dict[str, Any]) -> tuple[str, str | None, int]:
    return job["state"], job["error"], len(job["attempts"])


def _the_queue_is_empty(http: httpx.Client) -> None:
    letters = http.get("/runtime/webhooks/queues/jobs/deadletter").json()
    assert [letter["messageId"] for letter in letters] == ["message-3", "message-4"]
    refused = {one["message_id"] for one in http.get("/api/intake").json()["refusals"]}
    assert refused == {"message-3", "message-4"}


def _orchestrations(http: httpx.Client) -> dict[str, str]:
    query = {"top": "1000"}
    listed = http.get("/runtime/webhooks/durabletask/instances", params=query).json()
    return {one["instanceId"]: one["runtimeStatus"] for one in listed}


def _the_log_only_grew(data: Path) -> None:
    rows = "SELECT * FROM log ORDER BY global_position"
    with sqlite3.connect(data / "log.db") as grown, sqlite3.connect(":memory:") as before:
        before.executescript(recorded.text("log.sql.gz"))
        old = before.execute(rows).fetchall()
        assert grown.execute(rows).fetchall()[: len(old)] == old
    grown.close()
    before.close()
