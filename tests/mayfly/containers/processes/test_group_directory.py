"""The directory of a group: recorded once, locked by one, and removed only if no host can start it any more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mayfly.containers.processes.group_directory import GroupDirectory, sweep


@pytest.fixture
def directory(tmp_path: Path) -> GroupDirectory:
    directory = GroupDirectory(tmp_path, "ada-1")
    directory.record({"job_id": "ada"})
    return directory


def test_the_first_record_is_kept(directory: GroupDirectory) -> None:
    directory.record({"job_id": "bob"})
    assert directory.facts() == {"job_id": "ada"}
    assert [path.name for path in directory.root.iterdir()] == ["ada-1"]


def test_one_caller_at_a_time_has_the_lock(directory: GroupDirectory) -> None:
    lock = directory.try_lock()
    assert lock is not None
    assert directory.try_lock() is None
    assert directory.alive()
    os.close(lock)
    assert not directory.alive()


def test_a_group_is_abandoned_once_its_lock_is_free(directory: GroupDirectory) -> None:
    lock = directory.try_lock()
    assert lock is not None
    assert not directory.remove_if_abandoned()
    os.close(lock)
    assert directory.remove_if_abandoned()
    assert directory.facts() is None
    assert directory.remove_if_abandoned(), "it is gone already"


def test_a_started_group_is_not_abandoned(directory: GroupDirectory) -> None:
    (directory.path / "pid").write_text("123\n")
    assert not directory.remove_if_abandoned()
    assert directory.recorder_pid() == 123


def test_an_incomplete_exit_code_is_none(directory: GroupDirectory) -> None:
    (directory.path / "exit_code").write_text("13")
    assert directory.exit_code() is None
    (directory.path / "exit_code").write_text("137\n")
    assert directory.exit_code() == 137


def test_old_leftovers_are_swept_and_groups_are_not(directory: GroupDirectory) -> None:
    for name in (".new-1", ".gone-1"):
        (directory.root / name / "work").mkdir(parents=True)
    now_s = (directory.root / ".new-1").stat().st_mtime
    sweep(directory.root, older_than_s=60, now_s=now_s + 30)
    assert len([*directory.root.iterdir()]) == 3
    sweep(directory.root, older_than_s=60, now_s=now_s + 120)
    assert [path.name for path in directory.root.iterdir()] == ["ada-1"]
