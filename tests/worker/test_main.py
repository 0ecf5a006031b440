"""Starting the worker: what it requires, which versions of Python run it, and what a start may cost."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worker.conftest import TOKEN, WORKER
from tests.worker.report_server import ReportServer
from worker.environment import REQUIRED


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_variable_is_named(server: ReportServer, environment: dict[str, str], name: str) -> None:
    del environment[name]
    ended = subprocess.run([sys.executable, "-I", "-S", str(WORKER)], env=environment, capture_output=True, check=False)
    assert ended.returncode == 64
    assert name.encode() in ended.stderr
    assert TOKEN.encode() not in ended.stderr
    assert server.reports == []


@pytest.mark.parametrize("arguments", [["--"], ["sh"], ["-x", "--", "sh"]])
def test_invalid_arguments_are_rejected(
    server: ReportServer, environment: dict[str, str], arguments: list[str]
) -> None:
    argv = [sys.executable, "-I", "-S", str(WORKER), *arguments]
    ended = subprocess.run(argv, env=environment, capture_output=True, check=False)
    assert ended.returncode == 64
    assert server.reports == []


@pytest.mark.parametrize("started_as", [[str(WORKER)], [str(WORKER.parent)]], ids=["file", "folder"])
def test_the_worker_starts_from_anywhere_and_alone(
    server: ReportServer, environment: dict[str, str], tmp_path: Path, started_as: list[str]
) -> None:
    (tmp_path / "select.py").write_text("raise SystemExit('the wrong module')")
    argv = [sys.executable, "-I", "-S", *started_as, "--", "echo", "worked"]
    ended = subprocess.run(argv, env=environment, capture_output=True, check=True, cwd=tmp_path)
    assert ended.stdout == b"worked\n"


def test_the_copied_folder_is_all_it_needs(server: ReportServer, environment: dict[str, str], tmp_path: Path) -> None:
    """As the Dockerfile copies it; modules beside it do not hide those of the standard library."""
    (tmp_path / "worker").mkdir()
    for module in WORKER.parent.glob("*.py"):
        shutil.copy(module, tmp_path / "worker")
    (tmp_path / "select.py").write_text("raise SystemExit('the wrong module')")
    argv = [sys.executable, "-I", "-S", str(tmp_path / "worker" / "__main__.py"), "--", "echo", "worked"]
    ended = subprocess.run(argv, env=environment, capture_output=True, check=True)
    assert ended.stdout == b"worked\n"


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_the_oldest_and_the_newest_python_run_it(
    server: ReportServer, environment: dict[str, str], version: str
) -> None:
    python = next(
        (
            path
            for path in [
                *Path.home().glob(f".pyenv/versions/{version}.*/bin/python3"),
                shutil.which(f"python{version}"),
            ]
            if path is not None and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0
        ),
        None,
    )
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    argv = [str(python), "-I", "-S", "-B", str(WORKER), "--", "sh", "-c", "echo ::progress 0.5; echo '::result [1]'"]
    subprocess.run(argv, env=environment, check=True, capture_output=True)
    assert server.the_end()["result"] == [1]
    subprocess.run(
        [str(python), "-I", "-S", "-B", str(WORKER)], env={**environment, "MAYFLY_WORK_SECONDS": "0"}, check=True
    )


def test_a_command_costs_no_module_that_is_slow_to_load(server: ReportServer, environment: dict[str, str]) -> None:
    """The start is part of every job: each of these costs from 1 to 40 ms."""
    argv = [sys.executable, "-I", "-S", "-X", "importtime", str(WORKER), "--", "echo", "worked"]
    ended = subprocess.run(argv, env=environment, check=True, capture_output=True)
    loaded = {line.rsplit(b"|", 1)[1].strip().decode() for line in ended.stderr.splitlines() if b"|" in line}
    slow = {"json", "re", "enum", "ssl", "socket", "signal", "http.client", "subprocess", "threading", "typing"}
    assert loaded & (slow | {"collections", "contextlib", "dataclasses", "random", "hashlib", "asyncio"}) == set()
    assert server.the_end()["outcome"] == "succeeded"
