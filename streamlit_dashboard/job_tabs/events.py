"""The events of a job, and the job as it was after any of them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from mayfly.jobs.events import Event, to_document
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.wording.events import describe
from mayfly.wording.jobs import summary
from mayfly.wording.text import printable
from mayfly.wording.times import span
from streamlit_dashboard import cards
from streamlit_dashboard.errors import shows_errors
from streamlit_dashboard.formatting import clock, clock_html
from streamlit_dashboard.services import ask, reader
from streamlit_dashboard.state_style import badge

EVENTS_MAX = 500
"""Events on the page; a long job can have many more progress events."""


def draw_events(job: Job) -> None:
    """Draw the events, a slider along them, and the job at the slider's position."""
    with shows_errors("The events could not be read", retries=not job.settled):
        # The whole stream is read, because the job at a position is the fold of all events up to it.
        stream = ask(reader().events(job.job_id, after=0, limit=10_000))
        position = chosen_position(len(stream))
        at = fold(stream[:position])
        if at is None:
            return
        draw_moment(at, stream[position - 1], latest=position == len(stream))
        draw_stream(stream, position)
        with st.expander(f"Event {position} as stored in the log", icon=":material/data_object:"):
            st.json(to_document(stream[position - 1]), expanded=2)


def chosen_position(last: int) -> int:
    """Draw the slider and return its position. While it is at the end, it follows the stream."""
    if last < 2:
        return last
    before = st.session_state.get("events-last", last)
    chosen = st.session_state.get("position", last)
    # Set only if the stream has grown, because this overrides a slider that the viewer is moving.
    if last != before or "position" not in st.session_state or chosen > last:
        st.session_state["position"] = last if chosen >= before or chosen > last else chosen
    st.session_state["events-last"] = last
    position: int = st.slider(
        "Position in the stream", 1, last, key="position", help="Move it to see the job as it was after an event"
    )
    return position


def draw_moment(job: Job, event: Event, *, latest: bool) -> None:
    """Draw the job as it was right after an event."""
    attempt = job.attempt
    fraction, message = cards.attempt_progress(attempt)
    share = "" if fraction is None else f"{fraction:.0%} "
    with st.container(border=True, key="moment"):
        title = "Now" if latest else f"After event {event.position}"
        later = span((event.at - job.submitted_at).total_seconds())
        subtitle = f"{escape(event.type)}, {clock_html(event.at)}, {later} after submission"
        st.html(
            f'<div class="mf-row"><span><b>{title}</b> <span class="mf-muted">{subtitle}</span></span>'
            f"{badge(job.state)}</div>"
        )
        cards.facts(
            ("status", escape(printable(summary(job, format_time=clock), 200))),
            ("attempt", f"{len(job.attempts)} of {job.spec.retry.max_attempts}"),
            ("container", escape(attempt.container) if attempt else "none"),
            ("progress", escape(f"{share}{message}")),
            ("attempt outcome", escape(attempt.outcome or "open") if attempt else ""),
            ("claimed", clock_html(attempt.claimed_at) if attempt else ""),
            ("held", escape(printable(job.held_reason or "", 200))),
        )


def draw_stream(stream: Sequence[Event], position: int) -> None:
    """Draw the events around a position as a table; later events are faint."""
    first = max(0, min(position - EVENTS_MAX // 2, len(stream) - EVENTS_MAX))
    shown = stream[first : first + EVENTS_MAX]
    rows = [
        (
            str(event.position),
            clock_html(event.at),
            f"+{span((event.at - stream[0].at).total_seconds())}",
            escape(event.type),
            str(event.attempt or ""),
            escape(event.source),
            escape(describe(event, format_time=clock)),
        )
        for event in shown
    ]
    classes = [
        "mf-now" if event.position == position else "mf-later" if event.position > position else "" for event in shown
    ]
    cards.table(("", "time", "after", "event", "attempt", "source", "description"), rows, classes)
