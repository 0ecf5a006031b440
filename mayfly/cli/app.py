"""The table of commands, and the one place that turns an error into text and an exit code.

It imports no command: each is imported when it runs (lazy_commands.py). A summary is the first sentence of its
function's docstring; a test compares them.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from typer import Option

from mayfly.cli.lazy_commands import LazyCommand, SectionedGroup
from mayfly.client.errors import ClientError

_COMMAND_LAST = {"allow_interspersed_args": False}
"""Everything after the first word of a command belongs to it, with `--` or without."""
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""The drill parses its options itself, `--help` included."""

_HERE, _JOBS = "On this machine", "Jobs"
COMMANDS = (
    LazyCommand("up", "run_local:up", _HERE, "Run the API and the dashboard on this machine until Ctrl-C."),
    LazyCommand("key", "run_local:key", _HERE, "Print the function key of the local host."),
    LazyCommand("demo", "drill:demo", _HERE, "Run six real jobs and check how each job ends.", settings=_PASS_ON),
    LazyCommand(
        "chaos",
        "drill:chaos",
        _HERE,
        "Run jobs, kill the host repeatedly, and check how each job ends.",
        settings=_PASS_ON,
    ),
    LazyCommand("submit", "start_jobs:submit", _JOBS, "Submit a job and print its id.", settings=_COMMAND_LAST),
    LazyCommand(
        "plan",
        "start_jobs:submit",
        _JOBS,
        "Show a job's price and blockers: the same as `submit --dry-run`.",
        settings=_COMMAND_LAST,
        arguments=("--dry-run",),
    ),
    LazyCommand("list", "show_jobs:list_jobs", _JOBS, "List jobs, newest first."),
    LazyCommand("show", "show_jobs:show", _JOBS, "Show the state, spec, attempts, result and output of a job."),
    LazyCommand("watch", "watch_jobs:watch", _JOBS, "Stream events of the given jobs."),
    LazyCommand("logs", "show_jobs:logs", _JOBS, "Print a job's output."),
    LazyCommand("cancel", "end_jobs:cancel", _JOBS, "Cancel jobs and delete their containers."),
    LazyCommand("clear", "end_jobs:clear", _JOBS, "Cancel running jobs and archive finished ones."),
    LazyCommand("export", "show_jobs:export", _JOBS, "Write events as JSON Lines, oldest first."),
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
        bool, Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """One job, one container, one log."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and exit with its code; see `mayfly.client.errors` for the codes."""
    group = typer.main.get_group(_app)
    for command in COMMANDS:
        group.add_command(command)
    run(group, arguments)


def run(commands: Callable[..., object], arguments: Sequence[str] | None = None) -> None:
    """Run a command line, of Mayfly or of its drills; an error becomes text and an exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # As after Ctrl-C, everything that a command started is stopped on the way out.
        signal.signal(number, lambda received, _: sys.exit(128 + received))
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
