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
    path: str
    """The sign as an SVG path in 24 by 24."""


_CLOCK = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 2a7 7 0 1 1 0 14 7 7 0 0 1 0-14Zm-1 2v6l4.6 2.8 1-1.7-3.6-2.1V7h-2Z"
_LAUNCH = "M12 3 6 9h4v6h4V9h4l-6-6ZM5 18v2h14v-2H5Z"
_PLAY = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm-2 5.5 6 3.5-6 3.5v-7Z"
_CHECK = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm-1.4 13.2-4-4 1.5-1.5 2.5 2.5 5.3-5.3 1.5 1.5-6.8 6.8Z"
_CROSS = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm4.3 11.9-1.4 1.4L12 13.4l-2.9 2.9-1.4-1.4 2.9-2.9-2.9-2.9 1.4-1.4 2.9 2.9 2.9-2.9 1.4 1.4-2.9 2.9 2.9 2.9Z"  # noqa: E501
_GLASS = "M6 3v2h1v2.5L10.5 12 7 16.500V19H6v2h12v-2h-1v-2.500L13.500 12 17 7.500V5h1V3H6Zm3 2h6v1.800L12 10.700 9 6.800V5Zm3 8.300 3 3.900V19H9v-1.800l3-3.900Z"  # noqa: E501
_STOP = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm-7 9a7 7 0 0 1 11.300-5.500L6.500 16.300A7 7 0 0 1 5 12Zm7 7a7 7 0 0 1-4.100-1.300l9.800-9.800A7 7 0 0 1 12 19Z"  # noqa: E501

LOOKS: dict[JobState, Look] = {
    "queued": Look(word="queued", icon=":material/schedule:", sign="○", tone="yellow", chart="#e0a800", path=_CLOCK),
    "starting": Look(
        word="starting", icon=":material/rocket_launch:", sign="◔", tone="blue", chart="#74b3ff", path=_LAUNCH
    ),
    "running": Look(word="running", icon=":material/play_circle:", sign="◑", tone="blue", chart="#2f7de1", path=_PLAY),
    "succeeded": Look(
        word="succeeded", icon=":material/check_circle:", sign="✔", tone="green", chart="#2fa84f", path=_CHECK
    ),
    "failed": Look(word="failed", icon=":material/cancel:", sign="✘", tone="red", chart="#d9363e", path=_CROSS),
    "timed_out": Look(
        word="timed out", icon=":material/hourglass_disabled:", sign="⧗", tone="red", chart="#f07f62", path=_GLASS
    ),
    "canceled": Look(word="canceled", icon=":material/block:", sign="⊘", tone="gray", chart="#8a93a0", path=_STOP),
}


def named(state: JobState) -> str:
    """Return a state as plain text.

    >>> named("timed_out")
    '⧗ timed out'
    """
    return f"{LOOKS[state].sign} {LOOKS[state].word}"


def badge(state: JobState) -> str:
    """Return a state as HTML: a pill with sign and word."""
    look = LOOKS[state]
    return (
        f'<span class="mf-badge mf-{look.tone}"><svg viewBox="0 0 24 24" width="15" height="15" aria-hidden="true">'
        f'<path fill="currentColor" fill-rule="evenodd" d="{look.path}"/></svg>{look.word}</span>'
    )
