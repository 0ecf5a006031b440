"""The filters of the board: their widgets, and the query that they make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import streamlit as st

from mayfly.jobs.lifecycle import STATES
from mayfly.views.job_views import JobFilter
from mayfly.views.label_text import parse_labels
from mayfly.views.stats import Span
from mayfly.wording.states import STATE_STYLES
from streamlit_dashboard.state_style import ICONS


@dataclass(frozen=True, kw_only=True)
class Window:
    """A period before now, and the width of the chart's bars."""

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
    """The filters and the layout that the viewer chose."""

    window: Window
    conditions: JobFilter
    """All conditions except for the age."""
    layout: Literal["cards", "table"]

    @property
    def everything(self) -> bool:
        """True: no filter is set except for the age."""
        return self.conditions == JobFilter(archived=self.conditions.archived)

    def since(self, now: datetime) -> datetime | None:
        """Return the beginning of the period; None: it has none."""
        return now - self.window.length if self.window.length else None


def choose() -> Choice:
    """Draw the filters and return the choice. The address of the page keeps them."""
    with st.container(horizontal=True, vertical_alignment="center", key="filters"):
        active = sum(bool(st.session_state.get(key)) for key in ("name", "label", "state", "archived"))
        with st.popover(f"Filters ({active})" if active else "Filters", icon=":material/filter_alt:"):
            states = st.pills(
                "State",
                STATES,
                selection_mode="multi",
                format_func=lambda state: f"{ICONS[state]} {STATE_STYLES[state].word}",
                key="state",
                bind="query-params",
            )
            name = st.text_input("Name or id", key="name", placeholder="any part of it", bind="query-params")
            label = st.text_input(
                "Labels",
                key="label",
                placeholder="team=web, tier=2",
                help='Separate several with commas; put one with a comma "in quotes"',
                bind="query-params",
            )
            archived = st.toggle("include archived", key="archived", bind="query-params")
        one_of = partial(st.segmented_control, required=True, label_visibility="collapsed", bind="query-params")
        window = one_of("Submitted within", list(WINDOWS), default="24 h", key="window")
        layout = one_of("Layout", ["cards", "table"], default="cards", key="layout")
        st.toggle("live", key="live", value=True, help="Poll for changes every second")
    labels: dict[str, str] = {}
    try:
        labels = parse_labels(label.strip()) if label and label.strip() else {}
    except ValueError as error:
        st.html(f'<p class="mf-fault" role="alert">Labels: {error}</p>')
    return Choice(
        window=WINDOWS[window or "24 h"],
        conditions=JobFilter(
            states=frozenset(states) if states else None,
            labels=labels,
            name_contains=(name or "").strip() or None,
            archived=archived,
        ),
        layout="table" if layout == "table" else "cards",
    )
