"""A host that is killed at each line of a create or a delete: the next one brings it to its end, as the log asks."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from mayfly.containers.processes import group_directory
from mayfly.containers.processes import runtime as processes
from mayfly.containers.processes.census import take_census
from mayfly.containers.processes.group_directory import DIRECTORY_VARIABLE
from mayfly.containers.processes.runtime import ProcessRuntime
from mayfly.containers.runtime import GroupRequest
from tests.waiting import until

_GROUP = "ada-1-local"
_FILES = {module.__file__ for module in (processes, group_directory, subprocess)}
_LINES_MAX = 1_000


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "groups"
    assert [name for name in take_census(DIRECTORY_VARIABLE).by_directory if name.startswith(str(tmp_path))] == []


def runtime(root: Path) -> ProcessRuntime:
    return ProcessRuntime(root, worker_command=["/bin/sh", "-c", 'shift; exec "$@"', "worker"], grace_s=0.0)


def request(starts: Path) -> GroupRequest:
    return GroupRequest(
        group=_GROUP,
        place="local",
        job_id="ada",
        attempt=1,
        image=None,
        command=("sh", "-c", f"echo started >>{starts}; exec sleep 600"),
        env={},
        secure_env={},
        cpu=1.0,
        memory_gb=1.0,
    )


def killed_at_line(number: int, work: Callable[[], Any]) -> bool:
    """Do the work in a child that dies when it has come to `number` different lines; False: it ended before."""
    pid = os.fork()
    if pid == 0:
        seen: set[tuple[str, int]] = set()

        def trace(frame: FrameType, event: str, _: Any) -> Any:
            if frame.f_code.co_filename not in _FILES:
                return None
            if event == "line":
                seen.add((frame.f_code.co_filename, frame.f_lineno))
                if len(seen) > number:
                    os._exit(9)
            return trace

        sys.settrace(trace)
        work()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == 9


def wait_for_start(starts: Path) -> None:
    until(lambda: starts.exists() and starts.read_text())


def create(root: Path, starts: Path) -> None:
    asyncio.run(runtime(root).create(request(starts)))


def end_of(root: Path) -> None:
    """Delete as an orchestrator does: again, until the group is confirmed gone."""
    asyncio.run(runtime(root).delete(_GROUP, place="local"))
    assert asyncio.run(runtime(root).inspect(_GROUP, place="local")) is None
    assert list(asyncio.run(runtime(root).list())) == []


def test_killed_at_any_line_of_a_create_it_is_started_once_by_the_next_host(root: Path, tmp_path: Path) -> None:
    for line in range(_LINES_MAX):
        starts = tmp_path / f"starts-{line}"
        killed = killed_at_line(line, partial(create, root, starts))

        # An orchestrator that restarts polls first, and creates the group only if it is missing.
        if asyncio.run(runtime(root).inspect(_GROUP, place="local")) is None:
            create(root, starts)

        wait_for_start(starts)
        status = asyncio.run(runtime(root).inspect(_GROUP, place="local"))
        assert status is not None, f"line {line}"
        assert status.phase == "running", f"line {line}"
        end_of(root)
        assert starts.read_text() == "started\n", f"line {line}"
        if not killed:
            assert line > 40
            return
    pytest.fail(f"the create took more than {_LINES_MAX} lines")


def test_killed_at_any_line_of_a_delete_nothing_is_left_after_the_next_delete(root: Path, tmp_path: Path) -> None:
    for line in range(_LINES_MAX):
        starts = tmp_path / f"starts-{line}"
        create(root, starts)
        wait_for_start(starts)
        killed = killed_at_line(line, partial(end_of, root))

        end_of(root)

        assert take_census(DIRECTORY_VARIABLE).members((root / _GROUP).resolve()) == [], f"line {line}"
        if not killed:
            assert line > 40
            return
    pytest.fail(f"the delete took more than {_LINES_MAX} lines")
