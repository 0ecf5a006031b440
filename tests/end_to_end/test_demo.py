"""`mayfly demo` as a person runs it: another process, real containers, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from drills.orphans import processes_of_jobs, processes_on
from mayfly.cli.host_process import free_port
from tests.waiting import HANG_GUARD_S

_ROOT = Path(__file__).parents[2]


def _mayfly(*arguments: str) -> Sequence[str]:
    return [sys.executable, "-m", "mayfly", *arguments]


def _demo(data: Path) -> subprocess.CompletedProcess[str]:
    command = _mayfly("demo", "--data", str(data))
    return subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=HANG_GUARD_S, check=False)


def test_the_demo_passes_and_leaves_nothing_behind(tmp_path: Path) -> None:
    data = tmp_path / "data"

    ran = _demo(data)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = ran.stdout.splitlines()
    assert sum(line.startswith("✔") for line in lines) >= 6 + 8
    assert not any(line.startswith("✘") for line in lines)
    for kind in ("JobSubmitted", "WorkerProgressed", "RetryScheduled", "CancelRequested", "AttemptTimedOut"):
        assert any(kind in line for line in lines), f"{kind} was not shown"
    assert "the demo passed" in lines[-1]
    assert not processes_on(data)
    assert not processes_of_jobs(data)


def test_the_demo_rejects_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    ran = _demo(tmp_path)

    assert ran.returncode == 2
    assert "is not empty" in ran.stderr
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_leaves_no_process(tmp_path: Path, number: signal.Signals, exit_code: int) -> None:
    data = tmp_path / "data"
    process = subprocess.Popen(_mayfly("demo", "--data", str(data)), cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as lines:
        next(line for line in lines if "WorkerStarted" in line)
        process.send_signal(number)
        told = lines.read()

    assert process.wait(HANG_GUARD_S) == exit_code, told
    assert not processes_on(data)
    assert not processes_of_jobs(data)


def test_up_stops_cleanly_when_asked(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAYFLY_")}
    process = subprocess.Popen(
        _mayfly("up", "--no-dashboard", "--port", str(port), "--data", str(data)),
        cwd=_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as lines:
        next(line for line in lines if "Mayfly is up" in line)
        submitted = subprocess.run(
            _mayfly("submit", "--wait", "-m", "hi", "-e", "MAYFLY_WORK_SECONDS=0", "--url", f"http://127.0.0.1:{port}"),
            cwd=_ROOT,
            env={**environment, "MAYFLY_DATA": str(data)},
            capture_output=True,
            text=True,
            timeout=HANG_GUARD_S,
            check=False,
        )
        process.terminate()
        lines.read()

    assert submitted.returncode == 0, submitted.stderr
    assert "succeeded" in submitted.stdout
    assert process.wait(HANG_GUARD_S) == 0
    assert not processes_on(data)
