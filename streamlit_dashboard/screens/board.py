"""The board: counts by state, jobs over time, and each job as a card or a row, newest first."""

from __future__ import annotations

import time
import uuid
from collections.abc import Hashable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

import streamlit as st

from mayfly.errors import NotFound, TryAgain
from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import OPEN, STATES, JobState
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
from streamlit_dashboard.services import api, read_service
from streamlit_dashboard.state_style import CHART_COLORS

PAGE_SIZE = 24
WIDTHS: dict[Span, timedelta] = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_OWN_MAX = 5
"""How many jobs submitted in this session are shown before they are in the views."""


def draw() -> None:
    """Draw the page."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Board", anchor=False)
        st.button("Clear…", icon=":material/mop:", key="clear", on_click=ask_to_clear)
    clear_dialog()
    if message := st.session_state.pop("toast", None):
        st.toast(message, icon=":material/check_circle:")
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
            remember(api().submit({"message": message}, idempotency_key=uuid.uuid4().hex))


def remember(job_id: str) -> None:
    """Remember a job submitted in this session, so that the board shows it at once."""
    st.session_state["own"] = [job_id, *st.session_state.get("own", [])][:_OWN_MAX]


def any_job_is_open() -> bool:
    """Return whether a job is open, so that the board changes every second."""
    service = read_service()
    try:
        counts = service.ask(service.overview.counts())
    except TryAgain:
        return False
    return any(counts[state] for state in OPEN)


def page_state() -> Hashable:
    """Return the state that the board shows while no job is open. Ages are in minutes, so the minute is part of it."""
    return views_position(), int(time.time() // 60)


def show(choice: Choice, *, ticking: bool) -> None:
    """Read, then draw the parts that change."""
    service = read_service()
    now = datetime.now(UTC)
    with shows_errors("The board could not be read", retries=True):
        counts = service.ask(service.overview.counts())
        if ticking and not any(counts[state] for state in OPEN):
            st.rerun()  # the whole page once, and from then on only after changes
        lingering = service.ask(service.overview.attention_count("lingering"))
        span = choice.window.span
        since = now - choice.window.length if choice.window.length else None
        buckets = service.ask(service.overview.submitted(span, since=since, archived=choice.archived))
        cursors: list[str | None] = cursors_of(choice)
        page = service.ask(service.reader.page(choice.job_filter(now), limit=PAGE_SIZE, cursor=cursors[-1]))
        own = not_in_views(page, choice) if len(cursors) == 1 else []

        containers = counts["starting"] + counts["running"] + lingering
        st.html(cards.tiles(counts, [("containers", f"{containers:,}")]))
        if buckets:
            begun = whole(since or buckets[0].begun_at, span)
            zone = UTC if span == "day" else viewer_zone()
            st.html(over_time(tuple(buckets), span, begun, whole(now, span), zone))
        jobs = [*own, *page.jobs]
        if not jobs:
            empty(choice, sum(counts.values()))
        elif choice.layout == "cards":
            with st.container(key="grid"):
                for job in jobs:
                    cards.card(job, now)
        else:
            with st.container(key="rows"):
                st.html(cards.ROW_HEAD)
                for job in jobs:
                    cards.row(job, now)
        pager(page, cursors)


@lru_cache(maxsize=64)
def over_time(buckets: tuple[Bucket, ...], span: Span, since: datetime, last: datetime, zone: tzinfo) -> str:
    """Return the chart of jobs by time of submission, stacked by current state.

    It is cached, because most polls find no change.
    """
    parts: dict[datetime, dict[JobState, int]] = {}
    for bucket in buckets:
        parts.setdefault(bucket.begun_at, {})[bucket.state] = bucket.jobs
    found = [
        Bar(
            begun_at=begun_at,
            parts=[
                Part(word=STATE_STYLES[state].word, color=CHART_COLORS[state], count=counts[state])
                for state in STATES
                if state in counts
            ],
        )
        for begun_at, counts in parts.items()
    ]
    return bar_chart(
        found,
        width=WIDTHS[span],
        since=since,
        until=last + WIDTHS[span],
        zone=zone,
        noun="jobs",
        label=f"Jobs by time of submission and state: {sum(bar.count for bar in found):,}",
    )


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
    service = read_service()
    newest = max((job.submitted_at for job in page.jobs), default=None)
    found = []
    for job_id in own:
        try:
            job = service.ask(service.reader.job(job_id))
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
        st.button("Newest", icon=":material/first_page:", disabled=first, key="newest", on_click=go_to, args=([None],))
        st.button(
            "Newer", icon=":material/chevron_left:", disabled=first, key="newer", on_click=go_to, args=(cursors[:-1],)
        )
        st.markdown(f"page {len(cursors)}", width="content")
        st.button(
            "Older",
            icon=":material/chevron_right:",
            disabled=page.cursor is None,
            key="older",
            on_click=go_to,
            args=([*cursors, page.cursor],),
        )


def go_to(cursors: list[str | None]) -> None:
    """Go to the page that these cursors lead to."""
    st.session_state["cursors"] = cursors


def empty(choice: Choice, jobs: int) -> None:
    """Explain why there are no jobs, and what to do."""
    service = read_service()
    if jobs and not (choice.everything and choice.window.length is None):
        st.info(
            "No job matches these filters. Remove a filter, or choose a longer period.",
            icon=":material/filter_alt_off:",
        )
        return
    if service.ask(service.overview.projected()):
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
