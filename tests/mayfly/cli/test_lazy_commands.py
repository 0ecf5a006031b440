"""The command line starts fast because it imports a command only to run it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mayfly.cli.app import COMMANDS

_PRINT_MODULES = """
import atexit, sys
atexit.register(lambda: print("modules:", *sys.modules))
from mayfly.cli import main
main(sys.argv[1:])
"""


def _imported(*arguments: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", _PRINT_MODULES, *arguments], capture_output=True, text=True, check=False
    )
    _, _, names = ran.stdout.partition("modules:")
    return set(names.split())


def _top(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("arguments", [(), ("--help",), ("--version",)])
def test_help_imports_no_command_and_no_library_but_typer(arguments: tuple[str, ...]) -> None:
    found = _imported(*arguments)
    mayfly = {name for name in found if name.startswith("mayfly.")}
    expected = {"mayfly.cli", "mayfly.cli.app", "mayfly.cli.lazy_commands", "mayfly.client", "mayfly.client.errors"}
    assert mayfly == expected
    assert not _top(found) & {"httpx", "pydantic", "psutil", "sqlite3", "azure", "drills", "local_host"}
    assert "rich.console" not in found
    assert "typer.rich_utils" not in found


def test_a_command_imports_only_its_own_module() -> None:
    found = _imported("key", "--help")
    assert "mayfly.cli.run_local" in found
    assert not found & {"mayfly.cli.start_jobs", "mayfly.cli.show_jobs", "mayfly.cli.watch_jobs", "mayfly.cli.end_jobs"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command.name))
def test_a_summary_is_the_first_sentence_of_the_help(command: object) -> None:
    summary = command.help  # type: ignore[attr-defined]
    loaded = command.load()  # type: ignore[attr-defined]
    assert summary.endswith(".")
    assert " ".join(loaded.help.split()).startswith(summary)
    assert len(summary) <= 66, "it would not fit into a line of 80 characters"
