"""The folder of a drill: removed after a good run, kept and named after a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from drills.scratch_dir import ScratchDir
from mayfly.client.errors import BadRequest


@pytest.fixture(autouse=True)
def _in_the_tests_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_a_temporary_folder_is_removed_after_a_good_run(capsys: pytest.CaptureFixture[str]) -> None:
    scratch = ScratchDir(None, "mayfly-test-")
    scratch.host_log.write_text("started")
    scratch.done(ok=True)
    assert not scratch.path.exists()
    assert capsys.readouterr().out == ""


def test_after_a_bad_run_the_folder_is_kept_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    scratch = ScratchDir(None, "mayfly-test-")
    scratch.done(ok=False)
    assert scratch.path.is_dir()
    assert str(scratch.path) in capsys.readouterr().out


def test_a_folder_of_the_caller_is_never_removed(tmp_path: Path) -> None:
    scratch = ScratchDir(tmp_path / "mine", "mayfly-test-")
    (scratch.path / "log.db").write_text("")
    scratch.done(ok=True)
    assert (tmp_path / "mine" / "log.db").exists()


def test_a_folder_that_is_not_empty_is_rejected_and_unchanged(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("1")
    with pytest.raises(BadRequest, match="is not empty; choose an empty or a new folder"):
        ScratchDir(tmp_path / "mine", "mayfly-test-")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["precious"]
