"""The worker as a process, against a real server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.waiting import HANG_GUARD_S, Gate, gate_at
from tests.worker.report_server import ReportServer

WORKER = Path(__file__).parents[2] / "worker" / "__main__.py"
TOKEN = "token-of-the-test"

Started = subprocess.Popen[bytes]
Start = Callable[..., Started]


@pytest.fixture
def server() -> Iterator[ReportServer]:
    server = ReportServer()
    yield server
    server.close()


@pytest.fixture
def environment(server: ReportServer) -> dict[str, str]:
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "MESSAGE": "hello",
        "CONTAINER_NAME": "job-1-1",
        "MAYFLY_JOB_ID": "job-1",
        "MAYFLY_ATTEMPT": "1",
        "MAYFLY_REPORT_URL": server.url,
        "MAYFLY_REPORT_TOKEN": TOKEN,
    }


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """A place in a command where it waits for the test."""
    with gate_at(tmp_path / "gate") as gate:
        yield gate


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Start a worker: `start("sh", "-c", "...", MAYFLY_REPORT_SECONDS="1")`. No command: the demo work."""
    running: list[Started] = []

    def start(*command: str, **more: str) -> Started:
        argv = [sys.executable, "-I", "-S", str(WORKER), *(["--", *command] if command else [])]
        process = subprocess.Popen(
            argv, env={**environment, **more}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        running.append(process)
        return process

    yield start
    for process in running:
        # A worker that is terminated ends its command too; one that is killed leaves it behind.
        process.terminate()
        try:
            process.communicate(timeout=HANG_GUARD_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise


@pytest.fixture
def run(start: Start) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Start a worker and wait for its end."""

    def run(*command: str, **more: str) -> subprocess.CompletedProcess[bytes]:
        process = start(*command, **more)
        output, errors = process.communicate(timeout=HANG_GUARD_S)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    return run
