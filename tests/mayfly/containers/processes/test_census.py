"""The census finds every living process of a group, by the environment of its session's leader."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from mayfly.containers.processes.census import holders, take_census, usage_of
from tests.waiting import HANG_GUARD_S, Gate, gate_at, until

VARIABLE = "MAYFLY_TEST_CENSUS"


class Started:
    """Shell commands in their own sessions, each marked with a directory."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def start(self, directory: Path | None, script: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **({VARIABLE: str(directory)} if directory is not None else {})}
        process = subprocess.Popen(["sh", "-c", script], env=environment, start_new_session=True)
        self._stack.callback(process.wait, HANG_GUARD_S)
        until(psutil.Process(process.pid).environ)  # the kernel shows it a moment after the start
        return process


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with gate_at(tmp_path / "gate") as gate:
        yield gate


@pytest.fixture
def started(gate: Gate) -> Iterator[Started]:
    """Let every command end after the test; each has one wait at the gate."""
    with ExitStack() as stack:
        yield Started(stack)
        for _ in range(10):
            gate.let_pass()


def _pid_in(file: Path) -> int:
    until(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())


def test_the_processes_of_each_group_are_found_apart(started: Started, gate: Gate, tmp_path: Path) -> None:
    one = started.start(tmp_path / "one", gate.wait)
    other = started.start(tmp_path / "other", gate.wait)
    started.start(None, gate.wait)
    census = take_census(VARIABLE)
    assert list(census.members(tmp_path / "one")) == [one.pid]
    assert list(census.members(tmp_path / "other")) == [other.pid]
    assert list(census.members(tmp_path / "on")) == []


@pytest.mark.parametrize("changed", ["env -i", f"env {VARIABLE}=/elsewhere"])
def test_a_child_that_changes_its_environment_stays_in_the_group_of_its_session(
    started: Started, gate: Gate, tmp_path: Path, changed: str
) -> None:
    file = tmp_path / "pid"
    child = f"{changed} sh -c {shlex.quote(f'echo $$ >{file}; {gate.wait}')}"
    leader = started.start(tmp_path / "one", f"{child} & wait; {gate.wait}")
    pid = _pid_in(file)
    assert set(take_census(VARIABLE).members(tmp_path / "one")) >= {leader.pid, pid}


def test_a_new_session_inherits_its_group(started: Started, gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    started.start(tmp_path / "one", f"setsid sh -c {shlex.quote(f'echo $$ >{file}; {gate.wait}')} & wait")
    pid = _pid_in(file)
    assert os.getsid(pid) == pid
    assert pid in take_census(VARIABLE).members(tmp_path / "one")


def test_a_process_that_has_ended_is_not_counted(started: Started, gate: Gate, tmp_path: Path) -> None:
    """The shell becomes another program, which never waits for the child that it inherits."""
    file, replaced = tmp_path / "pid", tmp_path / "replaced"
    rest = shlex.quote(f"echo >{replaced}; {gate.wait}")
    leader = started.start(tmp_path / "one", f"({gate.wait}) & echo $! >{file}; exec sh -c {rest}")
    ended = psutil.Process(_pid_in(file))
    until(replaced.exists)
    ended.kill()
    until(lambda: ended.status() == psutil.STATUS_ZOMBIE)
    assert os.getsid(ended.pid) == leader.pid
    assert list(take_census(VARIABLE).members(tmp_path / "one")) == [leader.pid]


def test_the_holders_of_a_file_are_other_processes_that_have_it_open(
    started: Started, gate: Gate, tmp_path: Path
) -> None:
    lock = tmp_path / "lock"
    with lock.open("w"):
        assert list(holders(lock)) == []
        holder = started.start(None, f"exec 9>{shlex.quote(str(lock))}; echo >{tmp_path / 'open'}; {gate.wait}")
        until((tmp_path / "open").exists)
        assert list(holders(lock)) == [holder.pid]


def test_usage_is_the_sum_over_the_processes_that_exist() -> None:
    own_cpu_s, own_bytes = usage_of([os.getpid()])
    cpu_s, memory_bytes = usage_of([os.getpid(), os.getpid(), 2**22 + 1])
    assert own_bytes > 1_000_000
    assert memory_bytes == pytest.approx(2 * own_bytes, rel=0.1)
    assert cpu_s >= 2 * own_cpu_s > 0
    assert usage_of([]) == (0.0, 0)
