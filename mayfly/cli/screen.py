"""How things look in a terminal: the console, the states' colours and signs, times and texts.

A state is always its word and its sign; the colour only repeats them. Text that came from a job is shown as `Text`, so
that neither its brackets nor its control characters mean anything here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mayfly.jobs.job import Job
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


def clean(text: str, chars_max: int = 0) -> str:
    """Return a text as one line that moves no cursor, cut to a length if one is given.

    >>> clean("a\\x1b[31mb\\nc"), clean("abcdef", 4)
    ('a�[31mb c', 'abc…')
    """
    line = "".join(char if char.isprintable() else " " if char.isspace() else "�" for char in text)
    return line if not chars_max or len(line) <= chars_max else f"{line[: chars_max - 1]}…"


def clock(at: datetime) -> str:
    """Return a moment as this machine's time of day."""
    return at.astimezone().strftime("%H:%M:%S.%f")[:-3]


def span(seconds: float) -> str:
    """Return a length of time in two units at most.

    >>> [span(s) for s in (0.4, 12.34, 75, 1_800, 3_700, 100_000)]
    ['0.4 s', '12.3 s', '1 min 15 s', '30 min', '1 h 1 min', '1 d 3 h']
    """
    if seconds < 59.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 3_600:
        return _in_two(whole, ("min", 60), ("s", 1))
    return _in_two(whole, ("h", 3_600), ("min", 60)) if whole < 86_400 else _in_two(whole, ("d", 86_400), ("h", 3_600))


def age(job: Job, now: datetime | None = None) -> str:
    """Return how long ago a job was submitted."""
    return span(((now or datetime.now(UTC)) - job.submitted_at).total_seconds())


def duration(job: Job, now: datetime | None = None) -> str:
    """Return how long a job has taken, until its end or until now; nothing before its first attempt."""
    if not job.attempts:
        return ""
    end = job.ended_at or now or datetime.now(UTC)
    return span((end - job.attempts[0].requested_at).total_seconds())


def gist(job: Job, *, tell: Callable[[datetime], str] = clock) -> str:
    """Return in a few words how a job stands: its result, why it ended, how far it is, or what it waits for."""
    match job.state:
        case "succeeded":
            return "" if job.result is None else json.dumps(job.result, ensure_ascii=False)
        case "failed" | "timed_out":
            return f"{job.error}: {job.message}" if job.message else str(job.error)
        case "canceled":
            return ""
        case "queued":
            if job.retry_at is not None:
                return f"attempt {len(job.attempts) + 1} at {tell(job.retry_at)}"
            return f"held: {job.held_reason}" if job.held_reason else "waiting for its container"
        case "starting" | "running":
            progress = job.attempt.progress if job.attempt else None
            if progress is None:
                return "its worker has not claimed it yet" if job.state == "starting" else ""
            share = "" if progress.fraction is None else f"{progress.fraction:.0%}"
            return f"{share} {progress.message}".strip()


def labels(job: Job) -> str:
    """Return a job's labels as `a=1 b=2`."""
    return " ".join(f"{name}={value}" for name, value in sorted(job.spec.labels.items()))


def _in_two(seconds: int, large: tuple[str, int], small: tuple[str, int]) -> str:
    count, rest = divmod(seconds, large[1])
    return f"{count} {large[0]}" + (f" {rest // small[1]} {small[0]}" if rest >= small[1] else "")
