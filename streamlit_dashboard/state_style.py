"""States on a page: the words, signs and tones of `mayfly.wording.states`, with icons and chart colors."""

from __future__ import annotations

from mayfly.jobs.lifecycle import JobState
from mayfly.wording.states import STATE_STYLES

ICONS: dict[JobState, str] = {
    "queued": ":material/schedule:",
    "starting": ":material/rocket_launch:",
    "running": ":material/play_circle:",
    "succeeded": ":material/check_circle:",
    "failed": ":material/cancel:",
    "timed_out": ":material/hourglass_disabled:",
    "canceled": ":material/block:",
}
"""Material symbols, which Streamlit ships."""

CHART_COLORS: dict[JobState, str] = {
    "queued": "#e0a800",
    "starting": "#74b3ff",
    "running": "#2f7de1",
    "succeeded": "#2fa84f",
    "failed": "#d9363e",
    "timed_out": "#f07f62",
    "canceled": "#8a93a0",
}
"""Colors that are visible on a light and on a dark background."""


def sign(state: JobState) -> str:
    """Return a state's sign as HTML; the style sheet has its shape."""
    return f'<i class="mf-sign mf-sign-{state}" aria-hidden="true"></i>'


def badge(state: JobState) -> str:
    """Return a state as HTML: a pill with sign and word."""
    style = STATE_STYLES[state]
    return f'<span class="mf-badge mf-{style.tone}">{sign(state)}{style.word}</span>'
