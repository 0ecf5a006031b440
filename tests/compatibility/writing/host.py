# mypy: ignore-errors
"""The local host of commit 9e4d491 as a process, and the calls that the scenarios make."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from mayfly.report_tokens import ReportTokens
from tests.mayfly.composed import REPORT_KEY

ROOT = Path(__file__).parents[3]
PATIENCE_S = 120.0
TERMINAL = ("succeeded", "failed", "timed_out", "canceled")


class RunningHost:
    """One host on a data folder, until it is stopped or killed."""

    def __init__(self, data: Path, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._data = data
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAYFLY_")}
        environment = {
            **inherited,
            "AzureWebJobsStorage": "UseDevelopmentStorage=true",
            "MAYFLY_DATA": str(data),
            "MAYFLY_QUEUE": "jobs",
            "MAYFLY_COSMOS": f"sqlite:{data / 'log.db'}",
            "MAYFLY_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "MAYFLY_REPORT_KEY": REPORT_KEY.decode(),
            "MAYFLY_SECRET_DB_PASSWORD": "fixture-secret-value",
            **settings,
        }
        command = [sys.executable, "-m", "local_host", "start", "--quiet", "--app", str(ROOT)]
        command += ["--port", str(self.port), "--data", str(data / "host")]
        data.mkdir(parents=True, exist_ok=True)
        with (data / "host.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)
        wait_until(self._is_well)
        self.keys = json.loads((data / "host" / "keys.json").read_text())
        self.http.headers["x-functions-key"] = self.keys["host"]["default"]

    def submit(self, spec: Mapping[str, Any], *, source: str = "", key: str | None = None) -> str:
        headers = {"x-mayfly-source": source} | ({"Idempotency-Key": key} if key else {})
        answer = self.http.post("/api/jobs", json=spec, headers=headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.http.get(f"/api/jobs/{job_id}").raise_for_status().json()
        return job

    def types(self, job_id: str) -> list[str]:
        return [event["type"] for event in self.http.get(f"/api/jobs/{job_id}/events").json()["events"]]

    def cancel(self, job_id: str, reason: str | None = None, *, source: str = "cli") -> None:
        body = {} if reason is None else {"reason": reason}
        answer = self.http.post(f"/api/jobs/{job_id}/cancel", json=body, headers={"x-mayfly-source": source})
        assert answer.status_code == 202, answer.text

    def archive(self, job_id: str) -> None:
        answer = self.http.post(f"/api/jobs/{job_id}/archive", headers={"x-mayfly-source": "dashboard"})
        assert answer.status_code == 202, answer.text

    def report(self, job_id: str, body: Mapping[str, Any], *, attempt: int = 1) -> int:
        headers = {"Authorization": f"Bearer {token(job_id, attempt)}"}
        return self.http.post(f"/api/jobs/{job_id}/reports", json=body, headers=headers).status_code

    def send(self, body: bytes, message_id: str, content_type: str | None = None) -> None:
        headers = {"message-id": message_id} | ({"content-type": content_type} if content_type else {})
        assert self.http.post("/runtime/webhooks/queues/jobs", content=body, headers=headers).status_code == 201

    def reconcile(self) -> None:
        """Run the reconciler now; it also runs every 30 seconds."""
        headers = {"x-functions-key": self.keys["master"]}
        assert self.http.post("/admin/functions/reconcile", json={}, headers=headers).status_code == 202

    def wait_for(self, job_id: str, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        wait_until(lambda: is_so(self.job(job_id)), lambda: self.job(job_id))
        return self.job(job_id)

    def wait_settled(self, *job_ids: str) -> None:
        for job_id in job_ids:
            self.wait_for(job_id, settled)

    def stop(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(20)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)
        self.http.close()

    def _is_well(self) -> bool:
        assert self.process.poll() is None, (self._data / "host.log").read_text()
        try:
            return self.http.get("/api/health").status_code == 200
        except httpx.TransportError:
            return False


def token(job_id: str, attempt: int) -> str:
    """Return the token that a worker of this attempt holds; good for a day."""
    return ReportTokens(REPORT_KEY).sign(job_id, attempt, now=datetime.now(UTC), lifetime_s=86_400)


def settled(job: Mapping[str, Any]) -> bool:
    return job["state"] in TERMINAL and all(attempt["container"] == "gone" for attempt in job["attempts"])


def running(job: Mapping[str, Any]) -> bool:
    return bool(job["state"] == "running" and job["attempts"][-1]["claim"])


def wait_until(holds: Callable[[], bool], shown: Callable[[], object] = lambda: "nothing came") -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up, shown()
        time.sleep(0.05)
