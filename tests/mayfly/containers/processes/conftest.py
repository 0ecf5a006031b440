"""Fixtures for the tests of groups of real processes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mayfly.containers.processes import runtime as processes
from mayfly.containers.processes.census import take_census
from mayfly.containers.processes.group_directory import DIRECTORY_VARIABLE
from mayfly.containers.processes.runtime import ProcessRuntime
from tests.mayfly.containers.processes.groups import (
    delete,
    new_runtime,
)
from tests.waiting import HANG_GUARD_S


@pytest.fixture
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no start and no kill fail because the machine is busy; forked hosts inherit this."""
    monkeypatch.setattr(processes, "_START_WAIT_S", HANG_GUARD_S)
    monkeypatch.setattr(processes, "_KILL_WAIT_S", HANG_GUARD_S)


@pytest.fixture
def root(tmp_path: Path, _no_hurry: None) -> Iterator[Path]:
    """A folder for groups; afterward every group is deleted, and no process may remain."""
    root = tmp_path / "groups"
    yield root
    runtime = new_runtime(root, grace_s=0.0)
    for listing in asyncio.run(runtime.list()):
        delete(runtime, listing.group)
    ours = [name for name in take_census(DIRECTORY_VARIABLE).by_directory if name.startswith(str(tmp_path))]
    assert ours == [], "processes outlived their groups"


@pytest.fixture
def runtime(root: Path) -> ProcessRuntime:
    return new_runtime(root)
