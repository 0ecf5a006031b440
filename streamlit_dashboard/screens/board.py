"""The board: how many jobs are in which state, when they came, and each of them as a card or a line, newest first."""

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
from streamlit_dashboard import cards
from streamlit_dashboard.auto_refresh import LOOK_S, views_stand, watched
from streamlit_dashboard.bar_chart import Bar, Part, bars
from streamlit_dashboard.board_choice import Choice, choose
from streamlit_dashboard.clearing import ask_to_clear, clear_dialog
from streamlit_dashboard.errors import said
from streamlit_dashboard.formatting import viewer_zone
from streamlit_dashboard.services import api, read_service
from streamlit_dashboard.state_style import LOOKS

PAGE_SIZE = 24
WIDTHS: dict[Span, timedelta] = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_OWN_MAX = 5
"""Of the jobs submitted here that are shown before the views know them."""


def draw() -> None:
    """Draw the page."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Board", anchor=False)
        st.button("Clear…", icon=":material/mop:", key="clear", on_click=ask_to_clear)
    clear_dialog()
    if told := st.session_state.pop("told", None):
        st.toast(told, icon=":material/check_circle:")
    quick_add()
    choice = choose()
    live = st.session_state.get("live", True)
    moving = live and something_moves()
    if live and not moving:
        watched(stands)
    # What is open has times that go on; once nothing is, the board is drawn again only when the log has moved.
    st.fragment(show, run_every=LOOK_S if moving else None)(choice, moving=moving)


def quick_add() -> None:
    """Draw the sample's own box: a text, and it is a job."""
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
            st.info("Type a message first. The Submit page has commands and images.", icon=":material/edit:")
            return
        with said("The job was not added"):
            remember(api().submit({"message": message}, idempotency_key=uuid.uuid4().hex))


def remember(job_id: str) -> None:
    """Keep a job that was submitted here, so that it is on the board at once."""
    st.session_state["own"] = [job_id, *st.session_state.get("own", [])][:_OWN_MAX]


def something_moves() -> bool:
    """Say whether a job is open, so that every second looks different."""
    service = read_service()
    try:
        counts = service.ask(service.overview.counts())
    except TryAgain:
        return False
    return any(counts[state] for state in OPEN)


def stands() -> Hashable:
    """Return what the board depends on while no job is open; it tells how long ago in minutes."""
    return views_stand(), int(time.time() // 60)


def show(choice: Choice, *, moving: bool) -> None:
    """Read, then draw what changes by itself."""
    service = read_service()
    now = datetime.now(UTC)
    with said("The board could not be read", again=True):
        counts = service.ask(service.overview.counts())
        if moving and not any(counts[state] for state in OPEN):
            st.rerun()  # once more as a whole, and then only when there is something new
        lingering = service.ask(service.overview.attention_count("lingering"))
        span = choice.window.span
        since = now - choice.window.length if choice.window.length else None
        buckets = service.ask(service.overview.submitted(span, since=since, archived=choice.archived))
        cursors: list[str | None] = cursors_of(choice)
        page = service.ask(service.reader.page(choice.job_filter(now), limit=PAGE_SIZE, cursor=cursors[-1]))
        own = unknown_yet(page, choice) if len(cursors) == 1 else []

        containers = counts["starting"] + counts["running"] + lingering
        st.html(cards.tiles(counts, [("containers now", f"{containers:,}")]))
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
            with st.container(key="lines"):
                st.html(cards.LINE_HEAD)
                for job in jobs:
                    cards.line(job, now)
        pager(page, cursors)


@lru_cache(maxsize=64)
def over_time(buckets: tuple[Bucket, ...], span: Span, since: datetime, last: datetime, zone: tzinfo) -> str:
    """Return the jobs by time of submission, stacked by the state that they are in now.

    The same again while nothing has changed, because most looks at a board find nothing new.
    """
    parts: dict[datetime, dict[JobState, int]] = {}
    for bucket in buckets:
        parts.setdefault(bucket.begun_at, {})[bucket.state] = bucket.jobs
    found = [
        Bar(
            begun_at=begun_at,
            parts=[
                Part(word=LOOKS[state].word, colour=LOOKS[state].chart, count=counts[state])
                for state in STATES
                if state in counts
            ],
        )
        for begun_at, counts in parts.items()
    ]
    return bars(
        found,
        width=WIDTHS[span],
        since=since,
        until=last + WIDTHS[span],
        zone=zone,
        what="jobs",
        label=f"Jobs by time of submission and state: {sum(bar.count for bar in found):,}",
    )


def whole(at: datetime, span: Span) -> datetime:
    """Return the beginning of the minute, hour or day of UTC."""
    begun = at.replace(second=0, microsecond=0)
    return begun if span == "minute" else begun.replace(minute=0) if span == "hour" else begun.replace(hour=0, minute=0)


def cursors_of(choice: Choice) -> list[str | None]:
    """Return the cursors that led to the page that is shown; another choice begins at the first page again."""
    if st.session_state.get("paged") != choice:
        st.session_state["paged"] = choice
        st.session_state["cursors"] = [None]
    found: list[str | None] = st.session_state["cursors"]
    return found


def unknown_yet(page: Page, choice: Choice) -> list[Job]:
    """Return the jobs submitted here that the views do not list yet, as the log tells them."""
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
    """Draw the way to older and newer jobs."""
    first = len(cursors) == 1
    if first and page.cursor is None:
        return
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        st.button("Newest", icon=":material/first_page:", disabled=first, key="newest", on_click=turn, args=([None],))
        st.button(
            "Newer", icon=":material/chevron_left:", disabled=first, key="newer", on_click=turn, args=(cursors[:-1],)
        )
        st.markdown(f"page {len(cursors)}", width="content")
        st.button(
            "Older",
            icon=":material/chevron_right:",
            disabled=page.cursor is None,
            key="older",
            on_click=turn,
            args=([*cursors, page.cursor],),
        )


def turn(cursors: list[str | None]) -> None:
    """Go to the page that these cursors lead to."""
    st.session_state["cursors"] = cursors


def empty(choice: Choice, jobs: int) -> None:
    """Say why there is nothing, and what to do."""
    service = read_service()
    if jobs and not (choice.everything and choice.window.length is None):
        st.info(
            "No job fits these filters. Take one away, or look further back with **Submitted: all**.",
            icon=":material/filter_alt_off:",
        )
        return
    if service.ask(service.overview.projected()):
        st.info(
            "The board is clear. What was hidden is under **Filters**; type a message above for something new.",
            icon=":material/check_circle:",
        )
        return
    st.info(
        "No jobs yet. Type a message above and press **Add**, or start one with a command on the **Submit** page.",
        icon=":material/rocket_launch:",
    )
    st.page_link("screens/submit.py", label="Submit a job", icon=":material/add_circle:")


draw()
