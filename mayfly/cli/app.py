"""The table of commands, and the one place that turns an error into text and an exit code.

It imports no command: each is imported when it runs (lazy_commands.py). A summary is the first sentence of its
function's docstring; a test compares them.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Annotated

import typer
from typer.core import TyperGroup

from mayfly.cli.lazy_commands import LazyCommand, SectionedGroup
from mayfly.client.errors import ClientError

_COMMAND_LAST = {"allow_interspersed_args": False}
"""Everything after the first word of a command belongs to it, with `--` or without."""
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""The drill parses its options itself, `--help` included."""

_HERE, _JOBS = "On this machine", "Jobs"
COMMANDS = (
    LazyCommand(
        "up",
        "mayfly.cli.run_local:up",
        section=_HERE,
        summary="Run the API and the dashboard on this machine until Ctrl-C.",
    ),
    LazyCommand("key", "mayfly.cli.run_local:key", section=_HERE, summary="Print the function key of the local host."),
    LazyCommand(
        "demo",
        "mayfly.cli.drill:demo",
        section=_HERE,
        summary="Run six real jobs and check how each job ends.",
        settings=_PASS_ON,
    ),
    LazyCommand(
        "chaos",
        "mayfly.cli.drill:chaos",
        section=_HERE,
        summary="Run jobs, kill the host repeatedly, and check how each job ends.",
        settings=_PASS_ON,
    ),
    LazyCommand(
        "submit",
        "mayfly.cli.start_jobs:submit",
        section=_JOBS,
        summary="Submit a job and print its id.",
        settings=_COMMAND_LAST,
    ),
    LazyCommand(
        "plan",
        "mayfly.cli.start_jobs:submit",
        section=_JOBS,
        summary="Show a job's price and blockers: the same as `submit --dry-run`.",
        settings=_COMMAND_LAST,
        arguments=("--dry-run",),
    ),
    LazyCommand("list", "mayfly.cli.show_jobs:list_jobs", section=_JOBS, summary="List jobs, newest first."),
    LazyCommand(
        "show",
        "mayfly.cli.show_jobs:show",
        section=_JOBS,
        summary="Show the state, spec, attempts, result and output of a job.",
    ),
    LazyCommand("watch", "mayfly.cli.watch_jobs:watch", section=_JOBS, summary="Stream events of the given jobs."),
    LazyCommand("logs", "mayfly.cli.show_jobs:logs", section=_JOBS, summary="Print a job's output."),
    LazyCommand(
        "cancel", "mayfly.cli.end_jobs:cancel", section=_JOBS, summary="Cancel jobs and delete their containers."
    ),
    LazyCommand(
        "clear", "mayfly.cli.end_jobs:clear", section=_JOBS, summary="Cancel running jobs and archive finished ones."
    ),
    LazyCommand(
        "export", "mayfly.cli.show_jobs:export", section=_JOBS, summary="Write events as JSON Lines, oldest first."
    ),
)

_app = typer.Typer(
    name="mayfly",
    help="One job, one container, one log.",
    cls=SectionedGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich help would take twice as long as everything else
    context_settings={"max_content_width": 100},
)


def _print_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"mayfly {version('mayfly')}")
        except PackageNotFoundError:
            print("mayfly, not installed")
        raise typer.Exit


@_app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """One job, one container, one log."""


def command_line() -> TyperGroup:
    """Return the group of all commands."""
    group = typer.main.get_group(_app)
    for command in COMMANDS:
        group.add_command(command)
    return group


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and exit with its code; see `mayfly.client.errors` for the codes."""
    run(command_line(), arguments)


def run(commands: Callable[..., object], arguments: Sequence[str] | None = None) -> None:
    """Run a command line, of Mayfly or of its drills; an error becomes text and an exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        commands(None if arguments is None else list(arguments), prog_name="mayfly")
    except ClientError as error:
        _print_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output has closed it. The rest of the buffer must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _print_error(error: ClientError) -> None:
    from rich.text import Text

    from mayfly.cli.screen import console

    screen = console(stderr=True)
    screen.print(Text.assemble(("error: ", "bold red"), error.text), soft_wrap=True)
    for line in error.lines:
        screen.print(Text(f"  {line}"), soft_wrap=True)


def _leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """Exit as after Ctrl-C, so that everything a command started is stopped on the way out."""
    sys.exit(128 + number)
