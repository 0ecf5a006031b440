"""Deleting a group: all of it, always."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import psutil
import pytest

from mayfly.containers.processes import census as process_census
from mayfly.containers.processes.group_directory import GroupDirectory
from mayfly.containers.processes.runtime import ProcessRuntime
from tests.mayfly.containers.processes.groups import (
    PLACE,
    counted,
    delete,
    log_of,
    members,
    new_runtime,
    request_for,
    status_of,
)
from tests.waiting import HANG_GUARD_S, until

ESCAPES = {
    "a child": (1, "sleep 600 & wait"),
    "a separate session": (2, "setsid sleep 600 & setsid -f sleep 600; wait"),
    "an emptied environment": (1, "env -i sleep 600 & wait"),
    "both": (2, "setsid -f env -i sleep 600; sleep 600"),
    "a forgotten orphan": (1, "(setsid sh -c 'sleep 600; true' &); sleep 0.1; exit 0"),
    "deaf to SIGTERM": (2, "trap '' TERM; setsid -f sleep 600; while :; do sleep 600; done"),
}
"""How many processes sleep for long once all are there, and the script."""


@pytest.mark.parametrize(("sleepers", "script"), ESCAPES.values(), ids=ESCAPES.keys())
def test_delete_leaves_no_process_alive(root: Path, runtime: ProcessRuntime, sleepers: int, script: str) -> None:
    lock = root.resolve() / "one" / "lock"
    asyncio.run(runtime.create(request_for("one", "sh", "-c", script)))
    until(lambda: [_command_line(process) for process in _holding(lock)].count("sleep 600") == sleepers)
    living = _holding(lock)
    delete(runtime, "one")
    assert [process for process in living if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert status_of(runtime, "one") is None


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it ended while we looked
        return ""


def _holding(lock: Path) -> list[psutil.Process]:
    """Return who holds the lock, but for those that end while we look."""
    found = []
    for pid in process_census.holders(lock):
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid))
    return found


def test_delete_gives_the_main_process_time_to_end(root: Path, tmp_path: Path) -> None:
    runtime = new_runtime(root, grace_s=HANG_GUARD_S)
    farewell = tmp_path / "farewell"
    script = f"trap 'echo bye >{farewell}; exit 0' TERM; echo ready; while :; do sleep 0.01; done"
    asyncio.run(runtime.create(request_for("one", "sh", "-c", script)))
    until(lambda: "ready" in log_of(runtime, "one"))
    delete(runtime, "one")
    assert farewell.read_text() == "bye\n"


def test_a_delete_interrupted_by_a_killed_host_is_finished_by_another(root: Path, runtime: ProcessRuntime) -> None:
    asyncio.run(runtime.create(request_for("one", "sleep", "600")))
    until(lambda: len(members(root, "one")) == 2)
    GroupDirectory(root, "one").mark_deleting()
    other = new_runtime(root)
    status = status_of(other, "one")
    assert status is not None
    assert (status.phase, status.deleting) == ("running", True)
    delete(other, "one")
    assert (status_of(other, "one"), members(root, "one")) == (None, [])


def test_hosts_that_delete_concurrently_both_succeed(root: Path, runtime: ProcessRuntime) -> None:
    async def story() -> None:
        await runtime.create(request_for("one", "sleep", "600"))
        others = [new_runtime(root) for _ in range(3)]
        await asyncio.gather(*(other.delete("one", place=PLACE) for other in others))
        assert await runtime.inspect("one", place=PLACE) is None

    asyncio.run(story())


def test_a_create_during_the_delete_starts_nothing(root: Path, runtime: ProcessRuntime, tmp_path: Path) -> None:
    request, starts = counted("one", tmp_path)
    directory = GroupDirectory(root, "one")
    directory.record({"job_id": "j", "attempt": 1, "place": PLACE, "created_at": "2026-01-01T00:00:00+00:00"})
    directory.mark_deleting()
    asyncio.run(runtime.create(request))
    assert members(root, "one") == []
    assert not starts.exists()


def test_directories_left_by_killed_hosts_are_swept(root: Path, runtime: ProcessRuntime) -> None:
    for name in (".new-1", ".gone-1", ".gone-2"):
        (root / name).mkdir()
        (root / name / "log").touch()
    os.utime(root / ".new-1", (0, 0))
    os.utime(root / ".gone-1", (0, 0))
    assert list(asyncio.run(runtime.list())) == []
    assert os.listdir(root) == [".gone-2"]


def test_orphans_are_found_without_proc(root: Path, runtime: ProcessRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_census, "_LINUX", False)
    asyncio.run(runtime.create(request_for("one", "sh", "-c", "setsid sleep 600 & wait")))
    until(lambda: len(members(root, "one")) == 3)
    delete(runtime, "one")
    assert members(root, "one") == []
