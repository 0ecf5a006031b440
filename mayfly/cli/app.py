"""The commands put together, and the one place where an error becomes text and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from types import FrameType
from typing import Annotated

import typer
from rich.text import Text

from mayfly.cli import drills, end_jobs, run_local, show_jobs, start_jobs, watch_jobs
from mayfly.cli.errors import CliError
from mayfly.cli.screen import console

_COMMAND_LAST = {"allow_interspersed_args": False}
"""Everything after the first word of a command belongs to it, `--` or not."""

app = typer.Typer(
    name="mayfly",
    help="One job, one container, one log.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_HERE, _JOBS = "On this machine", "Jobs"
app.command("up", rich_help_panel=_HERE)(run_local.up)
app.command("key", rich_help_panel=_HERE)(run_local.key)
app.command("demo", rich_help_panel=_HERE)(drills.demo)
app.command("chaos", rich_help_panel=_HERE)(drills.chaos)
app.command("submit", rich_help_panel=_JOBS, context_settings=_COMMAND_LAST)(start_jobs.submit)
app.command("plan", rich_help_panel=_JOBS, context_settings=_COMMAND_LAST)(start_jobs.plan)
app.command("list", rich_help_panel=_JOBS)(show_jobs.list_jobs)
app.command("show", rich_help_panel=_JOBS)(show_jobs.show)
app.command("watch", rich_help_panel=_JOBS)(watch_jobs.watch)
app.command("logs", rich_help_panel=_JOBS)(show_jobs.logs)
app.command("cancel", rich_help_panel=_JOBS)(end_jobs.cancel)
app.command("clear", rich_help_panel=_JOBS)(end_jobs.clear)
app.command("export", rich_help_panel=_JOBS)(show_jobs.export)


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            print(f"mayfly {version('mayfly')}")
        except PackageNotFoundError:
            print("mayfly, not installed")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """One job, one container, one log."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and leave with its exit code; see `errors.py` for the codes."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        app(None if arguments is None else list(arguments), prog_name="mayfly")
    except CliError as error:
        screen = console(stderr=True)
        screen.print(Text.assemble(("error: ", "bold red"), error.text), soft_wrap=True)
        for line in error.lines:
            screen.print(Text(f"  {line}"), soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has had enough. What is left in the buffer must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """Leave as after Ctrl-C, so that whatever a command started is stopped on the way out."""
    sys.exit(128 + number)
