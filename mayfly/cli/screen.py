"""How things look in a terminal: the console, the states' colours and signs, times and texts.

A state is always its word and its sign; the colour only repeats them. Text that came from a job is shown as `Text`, so
that neither its brackets nor its control characters mean anything here.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mayfly.jobs.lifecycle import JobState

_PLAIN_WIDTH = 240
"""Of lines that go into a file or a pipe, where nothing is to be cut off."""

_LOOKS: dict[JobState, tuple[str, str]] = {
    "queued": ("○", "yellow"),
    "starting": ("◔", "blue"),
    "running": ("◑", "blue"),
    "succeeded": ("✔", "green"),
    "failed": ("✘", "red"),
    "timed_out": ("⧗", "red"),
    "canceled": ("⊘", "bright_black"),
}


def console(*, stderr: bool = False) -> Console:
    """Return the console for people, as wide as its terminal, and wide enough for everything where there is none."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, soft_wrap=False, width=None if stream.isatty() else _PLAIN_WIDTH)


def print_json(value: Any) -> None:
    """Print JSON for programs: two spaces of indent, and nothing else on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def state_text(state: JobState) -> Text:
    """Return a state as sign and word, in its colour."""
    sign, colour = _LOOKS[state]
    return Text(f"{sign} {state.replace('_', ' ')}", style=colour)


def mark(ok: bool) -> Text:
    """Return the sign for a check that holds or does not."""
    return Text("✔", style="green") if ok else Text("✘", style="bold red")


def table(*columns: str, title: str | None = None) -> Table:
    """Return an empty table in the one style; a column whose name starts with `>` is set to the right."""
    made = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0), title=title, title_justify="left")
    for column in columns:
        right = column.startswith(">")
        made.add_column(column.removeprefix(">"), justify="right" if right else "left", overflow="fold")
    return made
