"""Terminal output: the console, tables, states and check marks.

A state is always shown as its word and its sign; the color only repeats them. Text from a job is printed as `Text`, so
that brackets in it are not markup.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mayfly.jobs.lifecycle import JobState
from mayfly.wording.states import STATE_STYLES, state_label
from mayfly.wording.text import printable

_PLAIN_WIDTH = 240
"""Of lines that go to a file or a pipe, which are not cut at the width of a terminal."""
_FACT_CHARS_MAX = 500


def console(*, stderr: bool = False) -> Console:
    """Return a console as wide as its terminal; without a terminal, it is wide enough for every line."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, soft_wrap=False, width=None if stream.isatty() else _PLAIN_WIDTH)


def print_json(value: Any) -> None:
    """Print JSON for programs, indented by two spaces. Nothing else goes to standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def state_text(state: JobState) -> Text:
    """Return a state as sign and word, in its color."""
    tone = STATE_STYLES[state].tone
    return Text(state_label(state), style="bright_black" if tone == "gray" else tone)


def mark(ok: bool) -> Text:
    """Return the sign of a check that passed or failed."""
    return Text("✔", style="green") if ok else Text("✘", style="bold red")


def table(*columns: str) -> Table:
    """Return an empty table in the common style. Columns whose name starts with `>` are right-aligned."""
    made = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        right = column.startswith(">")
        made.add_column(column.removeprefix(">"), justify="right" if right else "left", overflow="fold")
    return made


def fact_table(*facts: tuple[str, str]) -> Table:
    """Return (name, value) pairs as a table; pairs without a value are left out."""
    rows = table("", "")
    rows.show_header = False
    for name, value in facts:
        if value:
            rows.add_row(Text(name, style="bright_black"), Text(printable(value, _FACT_CHARS_MAX)))
    return rows
