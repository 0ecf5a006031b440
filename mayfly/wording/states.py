"""The states of a job as people see them: a word and a sign, and a color that only repeats them.

Yellow is pending, blue is in progress, green is done, red is an error, and gray is canceled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mayfly.jobs.lifecycle import JobState

Tone = Literal["yellow", "blue", "green", "red", "gray"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StateStyle:
    """How one state is shown, in a terminal and on a page."""

    word: str
    sign: str
    """One character of plain text."""
    tone: Tone


STATE_STYLES: dict[JobState, StateStyle] = {
    "queued": StateStyle(word="queued", sign="○", tone="yellow"),
    "starting": StateStyle(word="starting", sign="◔", tone="blue"),
    "running": StateStyle(word="running", sign="◑", tone="blue"),
    "succeeded": StateStyle(word="succeeded", sign="✔", tone="green"),
    "failed": StateStyle(word="failed", sign="✘", tone="red"),
    "timed_out": StateStyle(word="timed out", sign="⧗", tone="red"),
    "canceled": StateStyle(word="canceled", sign="⊘", tone="gray"),
}


def state_label(state: JobState) -> str:
    """Return a state as sign and word.

    >>> state_label("timed_out")
    '⧗ timed out'
    """
    return f"{STATE_STYLES[state].sign} {STATE_STYLES[state].word}"
