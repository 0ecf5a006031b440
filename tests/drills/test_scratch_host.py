"""The folder of a drill is empty at first, and kept if something fails or if the caller chose it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from drills.scratch_host import scratch_host
from mayfly.client.errors import BadRequest


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_temporary_folder_is_removed_after_success(tmp_path: Path) -> None:
    with scratch_host(None, "mayfly-demo-") as host:
        assert list(host.data.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_is_kept_and_named_after_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="fault"), scratch_host(None, "mayfly-demo-") as host:
        raise ValueError("fault")
    assert list(tmp_path.iterdir()) == [host.data]
    assert f"all files are kept in {host.data}; the host's output is in host.log" in capsys.readouterr().out


def test_a_chosen_folder_is_kept_and_must_be_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with scratch_host(tmp_path / "mine", "mayfly-demo-") as host:
        (host.data / "log.db").touch()
    assert (tmp_path / "mine" / "log.db").exists()
    with pytest.raises(BadRequest, match="mine is not empty"), scratch_host(tmp_path / "mine", "mayfly-demo-"):
        pass
    assert capsys.readouterr().out == ""
