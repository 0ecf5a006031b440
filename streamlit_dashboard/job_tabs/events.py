"""The stream of a job's events, and the job as it was at any of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

import streamlit as st

from mayfly.jobs.events import Event, to_document
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.wording.events import words
from mayfly.wording.jobs import summary
from streamlit_dashboard import cards
from streamlit_dashboard.errors import said
from streamlit_dashboard.formatting import clean, clock, moment_html, span
from streamlit_dashboard.services import read_service
from streamlit_dashboard.state_style import badge

EVENTS_MAX = 500
"""Of one stream that the page shows; progress of a long job can be many more."""


def draw_events(job: Job, now: datetime) -> None:  # noqa: ARG001 - tabs share one signature
    """Draw the stream, a slider along it, and the job at the slider's position."""
    with said("The events could not be read", again=not job.settled):
        service = read_service()
        # One stream is read whole, because the job at a position is the fold up to there.
        stream = service.ask(service.reader.events(job.job_id, after=0, limit=10_000))
        position = chosen_position(len(stream))
        at = fold(stream[:position])
        if at is None:
            return
        draw_moment(at, stream[position - 1], latest=position == len(stream))
        st.html(stream_table(stream, position, job.submitted_at))
        with st.expander(f"Event {position} as it is in the log", icon=":material/data_object:"):
            st.json(to_document(stream[position - 1]), expanded=2)


def chosen_position(last: int) -> int:
    """Draw the slider and return its position; it moves along with the stream while it is at the end."""
    if last < 2:
        return last
    before = st.session_state.get("events-last", last)
    chosen = st.session_state.get("position", last)
    # Only when the stream has moved: what is set here takes the place of what is being moved.
    if last != before or "position" not in st.session_state or chosen > last:
        st.session_state["position"] = last if chosen >= before or chosen > last else chosen
    st.session_state["events-last"] = last
    position: int = st.slider(
        "Position in the stream", 1, last, key="position", help="Move it to see the job as it was at that moment"
    )
    return position


def draw_moment(job: Job, event: Event, *, latest: bool) -> None:
    """Draw the job as it was right after an event."""
    attempt = job.attempt
    fraction, told = cards.attempt_progress(attempt)
    with st.container(border=True, key="moment"):
        after = "Now" if latest else f"As it was after event {event.position}"
        when = moment_html(event.at, clock(event.at))
        later = span((event.at - job.submitted_at).total_seconds())
        told_when = f"{escape(event.type)}, {when}, {later} after submission"
        st.html(
            f'<div class="mf-row"><span><b>{after}</b> <span class="mf-muted">{told_when}</span></span>'
            f"{badge(job.state)}</div>"
        )
        st.html(
            cards.facts(
                [
                    ("stands", escape(clean(summary(job, tell=clock), 200))),
                    ("attempt", f"{len(job.attempts)} of {job.spec.retry.max_attempts}"),
                    ("container", escape(attempt.container) if attempt else "none"),
                    ("progress", f"{fraction:.0%} {escape(told)}" if fraction is not None else escape(told)),
                    ("outcome of the attempt", escape(attempt.outcome or "open") if attempt else ""),
                    (
                        "claimed",
                        moment_html(attempt.claimed_at, clock(attempt.claimed_at))
                        if attempt and attempt.claimed_at
                        else "",
                    ),
                    ("held", escape(clean(job.held_reason or "", 200))),
                ]
            )
        )


def stream_table(stream: Sequence[Event], position: int, since: datetime) -> str:
    """Return the events around a position as a table; what came after it is faint."""
    first = max(0, min(position - EVENTS_MAX // 2, len(stream) - EVENTS_MAX))
    shown = stream[first : first + EVENTS_MAX]
    rows = [
        (
            str(event.position),
            moment_html(event.at, clock(event.at)),
            f"+{span((event.at - since).total_seconds())}",
            escape(event.type),
            str(event.attempt or ""),
            escape(event.source),
            escape(words(event, tell=clock)),
        )
        for event in shown
    ]
    classes = [
        "mf-now" if event.position == position else "mf-later" if event.position > position else "" for event in shown
    ]
    return cards.table(("", "time", "after", "event", "attempt", "by", "what"), rows, classes)
