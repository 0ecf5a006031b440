"""What the viewer of the board chose to see: the filters, and how they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import streamlit as st

from mayfly.jobs.lifecycle import STATES, JobState
from mayfly.views.job_views import JobFilter
from mayfly.views.label_text import parse_labels
from mayfly.views.stats import Span
from streamlit_dashboard.state_style import LOOKS


@dataclass(frozen=True, kw_only=True)
class Window:
    """A length of time to look at, and how finely the chart cuts it."""

    length: timedelta | None
    span: Span


WINDOWS: dict[str, Window] = {
    "1 h": Window(length=timedelta(hours=1), span="minute"),
    "24 h": Window(length=timedelta(hours=24), span="hour"),
    "7 d": Window(length=timedelta(days=7), span="hour"),
    "30 d": Window(length=timedelta(days=30), span="day"),
    "all": Window(length=None, span="day"),
}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the viewer chose to see."""

    window: Window
    states: frozenset[JobState] | None
    name: str
    labels: dict[str, str]
    archived: bool
    layout: Literal["cards", "table"]

    @property
    def everything(self) -> bool:
        """True: no job is left out but for its age."""
        return self.states is None and not self.name and not self.labels

    def job_filter(self, now: datetime) -> JobFilter:
        """Return what the list is asked for."""
        return JobFilter(
            states=self.states,
            labels=self.labels,
            name_contains=self.name or None,
            submitted_after=now - self.window.length if self.window.length else None,
            archived=self.archived,
        )


def choose() -> Choice:
    """Draw the filters and return what was chosen; the address keeps them."""
    with st.container(horizontal=True, vertical_alignment="center", key="filters"):
        active = sum(bool(st.session_state.get(key)) for key in ("name", "label", "state", "archived"))
        with st.popover(f"Filters ({active})" if active else "Filters", icon=":material/filter_alt:"):
            states = st.pills(
                "State",
                STATES,
                selection_mode="multi",
                format_func=lambda state: f"{LOOKS[state].icon} {LOOKS[state].word}",
                key="state",
                bind="query-params",
            )
            name = st.text_input("Name or id", key="name", placeholder="part of it", bind="query-params")
            label = st.text_input(
                "Labels",
                key="label",
                placeholder="team=web, tier=2",
                help='With commas between several; "in quotes" where a value has a comma',
                bind="query-params",
            )
            archived = st.toggle("hidden ones too", key="archived", bind="query-params")
        window = st.segmented_control(
            "Submitted within",
            list(WINDOWS),
            default="24 h",
            key="window",
            required=True,
            label_visibility="collapsed",
            bind="query-params",
        )
        layout = st.segmented_control(
            "As",
            ["cards", "table"],
            default="cards",
            key="layout",
            required=True,
            label_visibility="collapsed",
            bind="query-params",
        )
        st.toggle("live", key="live", value=True, help="Look again every second")
    labels: dict[str, str] = {}
    try:
        labels = parse_labels(label.strip()) if label and label.strip() else {}
    except ValueError as error:
        st.html(f'<p class="mf-fault" role="alert">Labels: {error}</p>')
    return Choice(
        window=WINDOWS[window or "24 h"],
        states=frozenset(states) if states else None,
        name=(name or "").strip(),
        labels=labels,
        archived=bool(archived),
        layout="table" if layout == "table" else "cards",
    )
