"""The wire contract is enough to write a worker: one in POSIX shell and curl follows it, against the same server."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.waiting import HANG_GUARD_S, until
from tests.worker.report_server import Answer, ReportServer

SHELL_WORKER = Path(__file__).parent / "shell_worker.sh"

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None and os.environ.get("MAYFLY_CI") != "1", reason="the worker in shell needs curl"
)


def run(environment: dict[str, str], *command: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    argv = [str(SHELL_WORKER), *command]
    return subprocess.run(argv, env={**environment, **more}, capture_output=True, check=False, timeout=HANG_GUARD_S)


def test_it_claims_works_and_reports(server: ReportServer, environment: dict[str, str]) -> None:
    ended = run(environment, "sh", "-c", "echo 'say \"hi\"\t\\'; echo '::result {\"n\": 3}'")
    assert (ended.returncode, ended.stderr) == (0, b"")
    started, progress, finished = (report.body for report in server.reports)
    assert len(started["claim"]) == 32
    assert {report.body["claim"] for report in server.reports} == {started["claim"]}
    assert (progress["type"], progress["sequence"]) == ("progress", 1)
    assert (finished["outcome"], finished["exit_code"], finished["result"]) == ("succeeded", 0, {"n": 3})
    assert finished["output_tail"] == ended.stdout.decode() == 'say "hi"\t\\\n::result {"n": 3}\n'


@pytest.mark.parametrize(
    ("script", "error", "code"),
    [("exit 3", "exit", 3), ("kill -9 $$", "signal", 137), ("exec /nowhere/command", "command_not_found", 127)],
)
def test_it_reports_failures(
    server: ReportServer, environment: dict[str, str], script: str, error: str, code: int
) -> None:
    assert run(environment, "sh", "-c", script).returncode == 0
    end = server.the_end()
    assert (end["outcome"], end["error"]["class"], end["exit_code"]) == ("failed", error, code)


@pytest.mark.parametrize(("status", "exit_code"), [(409, 0), (410, 0), (401, 77), (403, 77), (422, 70)])
def test_it_does_no_work_without_its_claim(
    server: ReportServer, environment: dict[str, str], status: int, exit_code: int
) -> None:
    server.script["started"] = [status]
    ended = run(environment, "echo", "worked")
    assert (ended.returncode, ended.stdout) == (exit_code, b"")
    assert len(server.reports) == 1


def test_it_retries_with_the_same_claim_after_growing_pauses(
    server: ReportServer, environment: dict[str, str], tmp_path: Path
) -> None:
    server.script["started"] = [Answer(drop=True), Answer(503), Answer(200)]
    server.script["finished"] = [Answer(429, {"Retry-After": "7"}), Answer(202)]
    (tmp_path / "sleep").write_text(f"#!/bin/sh\necho $1 >>{tmp_path}/pauses\n")
    (tmp_path / "sleep").chmod(0o755)
    assert run(environment, "true", PATH=f"{tmp_path}:{environment['PATH']}").returncode == 0
    assert len({report.body["claim"] for report in server.reports}) == 1
    assert (tmp_path / "pauses").read_text().split() == ["1", "2", "7"]


def test_it_gives_up_in_time(server: ReportServer, environment: dict[str, str]) -> None:
    server.script["started"] = [503]
    assert run(environment, "true", MAYFLY_REPORT_SECONDS="1").returncode == 75


def test_it_never_loses_the_outcome(server: ReportServer, environment: dict[str, str]) -> None:
    server.script["finished"] = [413, 202]
    assert run(environment, "echo", "::result 1").returncode == 0
    _, second = server.of_type("finished")
    assert second.body["error"]["class"] == "result_invalid"


def test_it_passes_a_signal_on(server: ReportServer, environment: dict[str, str], tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    argv = [str(SHELL_WORKER), "sh", "-c", f"touch {begun}; exec sleep 600"]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE) as worker:
        until(begun.exists)
        worker.terminate()
        worker.communicate(timeout=HANG_GUARD_S)
    assert worker.returncode == 0
    end = server.the_end()
    assert (end["error"]["class"], end["exit_code"]) == ("terminated", 143)


def test_it_hides_the_token_from_the_command(server: ReportServer, environment: dict[str, str]) -> None:
    lines = run(environment, "env").stdout.decode().splitlines()
    assert "MAYFLY_REPORT_TOKEN" not in "".join(lines)
    assert "MAYFLY_JOB_ID=job-1" in lines
