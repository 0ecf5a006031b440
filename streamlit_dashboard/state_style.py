"""How a state looks: always a sign and a word; the colour only repeats them.

The colours are the sample's: yellow pending, blue in progress, green done, red error; canceled is grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mayfly.jobs.lifecycle import JobState

Tone = Literal["yellow", "blue", "green", "red", "gray"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How one state is shown."""

    word: str
    icon: str
    """A Material symbol that Streamlit ships."""
    sign: str
    """The same in plain text, as in the terminal."""
    tone: Tone
    chart: str
    """One colour that stands out on light and on dark ground."""


LOOKS: dict[JobState, Look] = {
    "queued": Look(word="queued", icon=":material/schedule:", sign="○", tone="yellow", chart="#e0a800"),
    "starting": Look(word="starting", icon=":material/rocket_launch:", sign="◔", tone="blue", chart="#74b3ff"),
    "running": Look(word="running", icon=":material/play_circle:", sign="◑", tone="blue", chart="#2f7de1"),
    "succeeded": Look(word="succeeded", icon=":material/check_circle:", sign="✔", tone="green", chart="#2fa84f"),
    "failed": Look(word="failed", icon=":material/cancel:", sign="✘", tone="red", chart="#d9363e"),
    "timed_out": Look(word="timed out", icon=":material/hourglass_disabled:", sign="⧗", tone="red", chart="#f07f62"),
    "canceled": Look(word="canceled", icon=":material/block:", sign="⊘", tone="gray", chart="#8a93a0"),
}


def named(state: JobState) -> str:
    """Return a state as plain text.

    >>> named("timed_out")
    '⧗ timed out'
    """
    return f"{LOOKS[state].sign} {LOOKS[state].word}"


def sign(state: JobState) -> str:
    """Return a state's sign as HTML; its shape is in the style sheet."""
    return f'<i class="mf-sign mf-sign-{state}" aria-hidden="true"></i>'


def badge(state: JobState) -> str:
    """Return a state as HTML: a pill with sign and word."""
    return f'<span class="mf-badge mf-{LOOKS[state].tone}">{sign(state)}{LOOKS[state].word}</span>'
