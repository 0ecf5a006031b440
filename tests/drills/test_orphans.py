"""Processes that jobs or a host left behind are found by their folder, and killed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from drills.orphans import described, kill_jobs, processes_of_jobs, processes_on
from mayfly.containers.processes.group_directory import DIRECTORY_VARIABLE
from tests.waiting import HANG_GUARD_S, until


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for process in found:
        process.kill()
        process.wait(HANG_GUARD_S)


def _sleeper(started: list[subprocess.Popen[bytes]], folder: Path, **environment: str) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        ["sleep", "86400"], cwd=folder, env={**os.environ, **environment}, start_new_session=True
    )
    started.append(process)
    until(lambda: psutil.Process(process.pid).cmdline() == ["sleep", "86400"])  # shown a moment after the start
    return process.pid


def test_processes_are_found_by_their_mark_or_their_folder(
    started: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    group = tmp_path / "containers" / "ada-1"
    marked = _sleeper(started, tmp_path / "elsewhere", **{DIRECTORY_VARIABLE: str(group)})
    inside = _sleeper(started, group)
    _sleeper(started, tmp_path / "containers-of-another")
    assert processes_of_jobs(tmp_path) == sorted([marked, inside])


def test_killed_processes_are_gone(started: list[subprocess.Popen[bytes]], tmp_path: Path) -> None:
    _sleeper(started, tmp_path / "containers" / "ada-1")
    kill_jobs(tmp_path)
    until(lambda: processes_of_jobs(tmp_path) == [])
    assert started[0].wait(HANG_GUARD_S) == -9


def test_the_processes_of_a_host_are_found_by_its_data_folder(
    started: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    host = _sleeper(started, tmp_path, MAYFLY_DATA=str(tmp_path))
    _sleeper(started, tmp_path, MAYFLY_DATA=str(tmp_path / "other"))
    assert list(processes_on(tmp_path)) == [host]


def test_a_process_is_described_by_its_command_if_it_still_exists(
    started: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    pid = _sleeper(started, tmp_path)
    assert described(pid) == f"process {pid}: sleep 86400"
    started[0].kill()
    started[0].wait(HANG_GUARD_S)
    assert described(pid) == f"process {pid}"
