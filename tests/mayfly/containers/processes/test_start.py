"""Starting a group: one main process, whatever happens to the host."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from mayfly.containers.processes.group_directory import GroupDirectory
from mayfly.containers.processes.runtime import ProcessRuntime
from mayfly.containers.runtime import GroupRefused
from mayfly.errors import RuntimeUnavailable
from tests.mayfly.containers.processes.groups import (
    PLACE,
    RUN_THE_COMMAND,
    counted,
    create_in_a_child,
    delete,
    ended,
    kill_host,
    log_of,
    members,
    new_runtime,
    request_for,
    status_of,
)
from tests.waiting import HANG_GUARD_S, until


def test_a_host_killed_at_any_moment_and_called_again_starts_one_process(root: Path, tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    delays = random.Random(seed)
    for round_number in range(40):
        group = f"round-{round_number}"
        request, starts = counted(group, tmp_path)
        gate, opener = os.pipe()
        host = create_in_a_child(root, request, gate)
        os.write(opener, b"x")
        time.sleep(delays.uniform(0, 0.008))  # any moment will do: it decides only where the host dies
        kill_host(host)
        os.close(gate)
        os.close(opener)
        second = new_runtime(root)
        asyncio.run(second.create(request))
        until(lambda starts=starts: starts.exists() and starts.read_text())  # type: ignore[misc]
        recorders = [pid for pid in members(root, group) if os.getsid(pid) == pid]
        assert len(recorders) == 1, f"{len(recorders)} main processes in round {round_number}"
        delete(second, group)
        assert starts.read_text() == "started\n"


def test_hosts_that_create_concurrently_start_one_process(root: Path, tmp_path: Path) -> None:
    for round_number in range(15):
        group = f"round-{round_number}"
        request, starts = counted(group, tmp_path)
        new_runtime(root)
        gate, opener = os.pipe()
        finished, done = os.pipe()
        hosts = [create_in_a_child(root, request, gate, done) for _ in range(3)]
        os.write(opener, b"xxx")
        for _ in hosts:
            assert os.read(finished, 1) == b"x"
        until(lambda starts=starts: starts.exists() and starts.read_text())  # type: ignore[misc]
        assert len([pid for pid in members(root, group) if os.getsid(pid) == pid]) == 1
        assert starts.read_text() == "started\n"
        for host in hosts:
            kill_host(host)
        for end in (gate, opener, finished, done):
            os.close(end)
        delete(new_runtime(root), group)


def test_a_second_recorder_leaves_at_once(root: Path, runtime: ProcessRuntime, tmp_path: Path) -> None:
    request, starts = counted("one", tmp_path)
    asyncio.run(runtime.create(request))
    until(lambda: starts.exists() and starts.read_text())
    lock = os.open(root / "one" / "lock", os.O_RDWR)
    second = GroupDirectory(root, "one").spawn(
        lock, ["/bin/sh", "-c", f"echo again >>{starts}"], env={}, data_kb=0, cwd=None
    )
    os.close(lock)
    second.wait(HANG_GUARD_S)
    assert starts.read_text() == "started\n"


def recorded(root: Path, group: str) -> GroupDirectory:
    """Do what a host does that is killed between recording a group and starting it."""
    directory = GroupDirectory(root.resolve(), group)
    directory.record({"job_id": "j", "attempt": 1, "place": PLACE, "created_at": "2026-01-01T00:00:00+00:00"})
    return directory


def test_a_group_that_is_being_started_is_pending(root: Path, runtime: ProcessRuntime) -> None:
    lock = recorded(root, "waiting").try_lock()
    assert lock is not None
    status = status_of(runtime, "waiting")
    assert status is not None
    assert (status.phase, status.started_at) == ("pending", None)
    assert [listing.group for listing in asyncio.run(runtime.list())] == ["waiting"]
    os.close(lock)


def test_a_group_whose_host_was_killed_before_the_start_is_not_there(root: Path, runtime: ProcessRuntime) -> None:
    recorded(root, "seen")
    recorded(root, "listed")
    assert status_of(runtime, "seen") is None
    assert list(asyncio.run(runtime.list())) == []
    assert os.listdir(root) == []


def test_a_group_whose_host_was_killed_before_the_start_can_be_created_and_deleted(
    root: Path, runtime: ProcessRuntime
) -> None:
    recorded(root, "again")
    asyncio.run(runtime.create(request_for("again", "true")))
    assert ended(runtime, "again").exit_code == 0
    recorded(root, "away")
    delete(runtime, "away")
    assert not (root / "away").exists()


def test_the_lock_of_a_removed_group_is_not_a_lock(root: Path) -> None:
    class Slow(GroupDirectory):
        """Whose lock file is opened, and then the group is removed and recorded again."""

        def _is_lock(self, descriptor: int) -> bool:
            self.remove()
            recorded(root, self.group)
            return super()._is_lock(descriptor)

    recorded(root, "one")
    with pytest.raises(FileNotFoundError):
        Slow(root.resolve(), "one").try_lock()


def test_a_start_that_another_host_never_finishes_is_unavailable(
    root: Path, runtime: ProcessRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mayfly.containers.processes.runtime._START_WAIT_S", 0.1)
    lock = recorded(root, "stuck").try_lock()
    assert lock is not None
    with pytest.raises(RuntimeUnavailable):
        asyncio.run(runtime.create(request_for("stuck", "true")))
    os.close(lock)
    asyncio.run(runtime.create(request_for("stuck", "true")))
    assert ended(runtime, "stuck").exit_code == 0


@pytest.mark.parametrize(
    ("number", "refusal"),
    [
        (errno.EAGAIN, "wait"),
        (errno.ENOMEM, "wait"),
        (errno.EMFILE, "wait"),
        (errno.ENOENT, "permanent"),
        (errno.EACCES, "permanent"),
    ],
)
def test_a_failed_spawn_is_refused_with_a_hint_and_leaves_nothing(
    root: Path, runtime: ProcessRuntime, monkeypatch: pytest.MonkeyPatch, number: int, refusal: str
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(subprocess, "Popen", fail)
    with pytest.raises(GroupRefused) as refused:
        asyncio.run(runtime.create(request_for("one", "true")))
    assert refused.value.refusal.kind == refusal
    assert refused.value.refusal.code == errno.errorcode[number]
    assert refused.value.refusal.hint
    assert os.listdir(root) == []


@pytest.mark.parametrize("value", ["nul\0inside", "x" * (3 << 20)])
def test_an_environment_that_the_system_refuses_is_permanent(root: Path, runtime: ProcessRuntime, value: str) -> None:
    with pytest.raises(GroupRefused) as refused:
        asyncio.run(runtime.create(request_for("one", "true", VALUE=value)))
    assert refused.value.refusal.kind == "permanent"
    assert value not in str(refused.value)
    assert os.listdir(root) == []


def test_a_missing_worker_is_an_exit_of_127(root: Path) -> None:
    runtime = ProcessRuntime(root, worker_command=["/nowhere/worker"])
    asyncio.run(runtime.create(request_for("one", "true")))
    assert ended(runtime, "one").exit_code == 127
    assert "/nowhere/worker" in log_of(runtime, "one")


def test_a_missing_work_directory_is_an_exit(root: Path, tmp_path: Path) -> None:
    runtime = ProcessRuntime(root, worker_command=RUN_THE_COMMAND, work_directory=tmp_path / "nowhere")
    asyncio.run(runtime.create(request_for("one", "true")))
    assert ended(runtime, "one").exit_code not in (0, None)
    assert "nowhere" in log_of(runtime, "one")
