"""The board: counts by state, jobs over time, and each job as a card or a row, newest first."""

from __future__ import annotations

import time
import uuid
from collections.abc import Hashable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

import streamlit as st

from mayfly.errors import NotFound, TryAgain
from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import OPEN, STATES
from mayfly.views.job_views import Page
from mayfly.views.stats import Bucket, Span
from mayfly.wording.states import STATE_STYLES
from streamlit_dashboard import cards
from streamlit_dashboard.auto_refresh import POLL_S, rerun_on_change, views_position
from streamlit_dashboard.bar_chart import Bar, Part, bar_chart
from streamlit_dashboard.board_choice import Choice, choose
from streamlit_dashboard.clearing import ask_to_clear, clear_dialog
from streamlit_dashboard.errors import shows_errors
from streamlit_dashboard.formatting import viewer_zone
from streamlit_dashboard.services import ask, overview, reader, submit
from streamlit_dashboard.state_style import CHART_COLORS

PAGE_SIZE = 24
WIDTHS: dict[Span, timedelta] = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


def draw() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Board", anchor=False)
        st.button("Clear…", icon=":material/mop:", key="clear", on_click=ask_to_clear)
    clear_dialog()
    quick_add()
    choice = choose()
    live = st.session_state.get("live", True)
    ticking = live and any_job_is_open()
    if live and not ticking:
        rerun_on_change(page_state)
    # Open jobs show running times. Once no job is open, the board is redrawn only if the views have changed.
    st.fragment(show, run_every=POLL_S if ticking else None)(choice, ticking=ticking)


def quick_add() -> None:
    """Draw the box that turns a message into a job."""
    with st.form("quick", clear_on_submit=True, border=False):
        with st.container(horizontal=True, vertical_alignment="bottom", wrap=False):
            message = st.text_input(
                "Add work",
                placeholder="a message for the standard worker",
                key="quick-message",
                max_chars=2_000,
                label_visibility="collapsed",
            )
            added = st.form_submit_button("Add", icon=":material/add:", type="primary")
        if not added:
            return
        if not message.strip():
            st.info("Type a message first. For commands and images, use the Submit page.", icon=":material/edit:")
            return
        with shows_errors("The job was not added"):
            submit({"message": message}, idempotency_key=uuid.uuid4().hex)


def any_job_is_open() -> bool:
    """Return whether a job is open, so that the board changes every second."""
    try:
        counts = ask(overview().counts())
    except TryAgain:
        return False
    return any(counts[state] for state in OPEN)


def page_state() -> Hashable:
    """Return the state that the board shows while no job is open. Ages are in minutes, so the minute is part of it."""
    return views_position(), int(time.time() // 60)


def show(choice: Choice, *, ticking: bool) -> None:
    """Read, then draw the parts that change."""
    now = datetime.now(UTC)
    with shows_errors("The board could not be read", retries=True):
        counts = ask(overview().counts())
        if ticking and not any(counts[state] for state in OPEN):
            st.rerun()  # the whole page once, and from then on only after changes
        lingering = ask(overview().attention_count("lingering"))
        span = choice.window.span
        since = choice.since(now)
        buckets = ask(overview().submitted(span, since=since, archived=choice.conditions.archived))
        cursors: list[str | None] = cursors_of(choice)
        job_filter = replace(choice.conditions, submitted_after=since)
        page = ask(reader().page(job_filter, limit=PAGE_SIZE, cursor=cursors[-1]))
        own = not_in_views(page, choice) if len(cursors) == 1 else []

        containers = counts["starting"] + counts["running"] + lingering
        st.html(cards.tiles(counts, containers=containers))
        if buckets:
            begun = whole(since or buckets[0].begun_at, span)
            zone = UTC if span == "day" else viewer_zone()
            st.html(over_time(tuple(buckets), span, begun, whole(now, span), zone))
        jobs = [*own, *page.jobs]
        if not jobs:
            empty(choice, sum(counts.values()))
        elif choice.layout == "cards":
            cards.grid(jobs, now)
        else:
            cards.rows(jobs, now)
        pager(page, cursors)


@lru_cache(maxsize=64)
def over_time(buckets: tuple[Bucket, ...], span: Span, since: datetime, last: datetime, zone: tzinfo) -> str:
    """Return the chart of jobs by time of submission, stacked by current state.

    It is cached, because most polls find no change.
    """
    parts: dict[datetime, list[Part]] = {}
    for bucket in sorted(buckets, key=lambda bucket: (bucket.begun_at, STATES.index(bucket.state))):
        part = Part(word=STATE_STYLES[bucket.state].word, color=CHART_COLORS[bucket.state], count=bucket.jobs)
        parts.setdefault(bucket.begun_at, []).append(part)
    bars = [Bar(begun_at=begun_at, parts=stack) for begun_at, stack in parts.items()]
    label = f"Jobs by time of submission and state: {sum(bar.count for bar in bars):,}"
    width = WIDTHS[span]
    return bar_chart(bars, width=width, since=since, until=last + width, zone=zone, noun="jobs", label=label)


def whole(at: datetime, span: Span) -> datetime:
    """Return the beginning of the minute, hour or UTC day."""
    begun = at.replace(second=0, microsecond=0)
    return begun if span == "minute" else begun.replace(minute=0) if span == "hour" else begun.replace(hour=0, minute=0)


def cursors_of(choice: Choice) -> list[str | None]:
    """Return the cursors that led to the current page. A different choice starts at the first page."""
    if st.session_state.get("paged") != choice:
        st.session_state["paged"] = choice
        st.session_state["cursors"] = [None]
    found: list[str | None] = st.session_state["cursors"]
    return found


def not_in_views(page: Page, choice: Choice) -> list[Job]:
    """Return the jobs submitted in this session that are not in the views yet, folded from the log."""
    listed = {job.job_id for job in page.jobs}
    own = [job_id for job_id in st.session_state.get("own", []) if job_id not in listed]
    if not own or not choice.everything:
        return []
    newest = max((job.submitted_at for job in page.jobs), default=None)
    found = []
    for job_id in own:
        try:
            job = ask(reader().job(job_id))
        except NotFound:
            continue
        if not job.archived and (newest is None or job.submitted_at > newest):
            found.append(job)
    return found


def pager(page: Page, cursors: list[str | None]) -> None:
    """Draw the buttons to older and newer jobs."""
    first = len(cursors) == 1
    if first and page.cursor is None:
        return
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        _page_button("Newest", ":material/first_page:", [None], disabled=first)
        _page_button("Newer", ":material/chevron_left:", cursors[:-1], disabled=first)
        st.markdown(f"page {len(cursors)}", width="content")
        _page_button("Older", ":material/chevron_right:", [*cursors, page.cursor], disabled=page.cursor is None)


def _page_button(label: str, icon: str, cursors: list[str | None], *, disabled: bool) -> None:
    st.button(label, icon=icon, disabled=disabled, key=label.lower(), on_click=go_to, args=(cursors,))


def go_to(cursors: list[str | None]) -> None:
    """Go to the page that these cursors lead to."""
    st.session_state["cursors"] = cursors


def empty(choice: Choice, jobs: int) -> None:
    """Explain why there are no jobs, and what to do."""
    if jobs and not (choice.everything and choice.window.length is None):
        st.info(
            "No job matches these filters. Remove a filter, or choose a longer period.",
            icon=":material/filter_alt_off:",
        )
        return
    if ask(overview().projected()):
        st.info(
            "The board is clear. To see archived jobs, choose **include archived** under **Filters**.",
            icon=":material/check_circle:",
        )
        return
    st.info(
        "No jobs yet. Type a message above and press **Add**, or run a command on the **Submit** page.",
        icon=":material/rocket_launch:",
    )
    st.page_link("screens/submit.py", label="Submit a job", icon=":material/add_circle:")


draw()
