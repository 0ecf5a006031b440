"""A data folder that cannot be used, and a port that is taken, end a command with one sentence and the fix."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import NoReturn

import pytest

from mayfly.cli.data_folder import prepare
from mayfly.client.errors import BadRequest
from tests.mayfly.cli.conftest import Run


def test_a_folder_is_made_for_its_owner_alone_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    prepare(tmp_path / "a" / "b")
    prepare(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_file_instead_of_the_folder_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    ran = run("up", "--data", str(tmp_path / "taken"), "--no-dashboard", "--port", str(_free_port()))
    assert (ran.exit_code, ran.out) == (2, "")
    assert ran.err == (
        f"error: {tmp_path / 'taken'} is a file, but Mayfly needs a folder there\n  choose another folder with --data\n"
    )


def test_a_folder_below_a_file_cannot_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    ran = run("demo", "--data", str(tmp_path / "taken" / "below"))
    assert (ran.exit_code, ran.err.count("\n")) == (2, 2)
    assert "cannot be written (Not a directory)" in ran.err


@pytest.mark.parametrize(
    ("number", "fix"),
    [(errno.ENOSPC, "free some space"), (errno.EACCES, "change its owner"), (errno.EROFS, "change its owner")],
)
def test_a_folder_that_cannot_be_written_is_named_with_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, fix: str
) -> None:
    def refuse(**_: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(BadRequest) as raised:
        prepare(tmp_path)
    assert raised.value.text == f"{tmp_path} cannot be written ({os.strerror(number)})"
    assert raised.value.lines == (f"{fix}, or choose another folder with --data",)


def test_what_another_user_left_in_the_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log.db").write_text("")
    monkeypatch.setattr("os.access", lambda path, _: Path(path).name != "log.db")
    with pytest.raises(BadRequest, match=r"log\.db belongs to another user and cannot be written"):
        prepare(tmp_path)


def test_a_missing_temporary_folder_is_an_error_with_the_fix(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    ran = run("demo")
    assert ran.exit_code == 2
    assert "cannot create a temporary folder" in ran.err
    assert "--data" in ran.err


def test_a_port_that_is_taken_is_named_with_the_option(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run("up", "--port", str(port), "--no-dashboard")
    assert ran.exit_code == 2
    assert ran.err.startswith(f"error: port {port} is not free")
    assert "--port" in ran.err


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
