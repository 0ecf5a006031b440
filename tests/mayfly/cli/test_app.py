"""The command line as a process: its version, its help, and how errors and closed pipes end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import version
from typing import NoReturn

import pytest

from mayfly.cli import app
from mayfly.cli.app import COMMANDS
from mayfly.client.errors import BadRequest, Unreachable
from tests.mayfly.cli.conftest import Run


def _exit_code(commands: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as left:
        app.run(commands)  # type: ignore[arg-type]
    return int(left.value.code or 0), capsys.readouterr().err


def test_the_version_is_that_of_the_package(run: Run) -> None:
    ran = run("--version")
    assert (ran.exit_code, ran.out) == (0, f"mayfly {version('mayfly')}\n")


def test_help_lists_every_command_with_its_summary(run: Run) -> None:
    text = " ".join(run("--help").out.split())
    assert [command.name for command in COMMANDS if f"{command.name} {command.help}" not in text] == []


@pytest.mark.usefixtures("_signal_handlers")
@pytest.mark.parametrize(
    ("error", "exit_code", "printed"),
    [
        (BadRequest("port [80] is taken", ["choose [another]"]), 2, "error: port [80] is taken\n  choose [another]\n"),
        (Unreachable("no answer"), 3, "error: no answer\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=["bad request", "unreachable", "Ctrl-C"],
)
def test_an_error_ends_the_command_with_its_text_and_exit_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, exit_code: int, printed: str
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    assert _exit_code(fail, capsys) == (exit_code, printed)


@pytest.mark.usefixtures("_signal_handlers")
@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_command_as_an_exit_so_that_it_cleans_up(
    capsys: pytest.CaptureFixture[str], number: int, exit_code: int
) -> None:
    cleaned = []

    def interrupted(*_: object, **__: object) -> None:
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        finally:
            cleaned.append(True)

    assert _exit_code(interrupted, capsys) == (exit_code, "")
    assert cleaned == [True]


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    script = (
        "from mayfly.cli.app import run\nrun(lambda *_, **__: [print('x' * 1000, flush=True) for _ in range(1000)])"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1
