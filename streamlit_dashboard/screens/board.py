"""The board: how many jobs are in which state, when they came, and each of them as a card or a line, newest first."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pandas as pd
import streamlit as st

from mayfly.cli.screen import duration, gist
from mayfly.errors import NotFound
from mayfly.jobs.job import Job
from mayfly.views.figures import Span
from mayfly.views.job_views import Page
from streamlit_dashboard import cards, charts
from streamlit_dashboard.board_choice import Choice, choose
from streamlit_dashboard.clearing import clear_dialog
from streamlit_dashboard.looks import named
from streamlit_dashboard.services import api, read_service
from streamlit_dashboard.telling import clean, clock, viewer_zone
from streamlit_dashboard.trouble import said

REFRESH_S = 1.0
PAGE_SIZE = 24
_OWN_MAX = 5
"""Of the jobs submitted here that are shown before the views know them."""


def draw() -> None:
    """Draw the page."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Board", anchor=False)
        if st.button("Clear…", icon=":material/mop:", key="clear"):
            clear_dialog()
    if told := st.session_state.pop("told", None):
        st.toast(told, icon=":material/check_circle:")
    quick_add()
    choice = choose()
    live = st.fragment(show, run_every=REFRESH_S if st.session_state.get("live", True) else None)
    live(choice)


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


def show(choice: Choice) -> None:
    """Read, then draw what changes by itself."""
    service = read_service()
    now = datetime.now(UTC)
    with said("The board could not be read", again=True):
        counts = service.ask(service.overview.counts())
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
            # Whole spans, so that the picture stands still while nothing comes.
            begun = whole(since or buckets[0].begun_at, span)
            until = whole(now, span) + timedelta(minutes=1 if span == "minute" else 60)
            chart = charts.over_time(tuple(buckets), cut=span, since=begun, until=until)
            st.altair_chart(chart, width="stretch", key="over-time", alt="Jobs by time of submission and state")
        jobs = [*own, *page.jobs]
        if not jobs:
            empty(choice, sum(counts.values()))
        elif choice.layout == "cards":
            with st.container(key="grid"):
                for job in jobs:
                    cards.card(job, now)
        else:
            as_table(jobs, now)
        pager(page, cursors)


def whole(at: datetime, span: Span) -> datetime:
    """Return the beginning of the minute, or of the hour where the spans are longer."""
    return at.replace(minute=at.minute if span == "minute" else 0, second=0, microsecond=0)


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


def as_table(jobs: Sequence[Job], now: datetime) -> None:
    """Draw the jobs as lines; choosing one opens its page."""
    zone = viewer_zone()
    rows = [
        {
            "state": named(job.state),
            "job": job.job_id,
            "submitted": job.submitted_at.astimezone(zone).replace(tzinfo=None),
            "UTC": job.submitted_at.replace(tzinfo=None),
            "took": duration(job, now),
            "attempts": len(job.attempts),
            "asks for": cards.wanted(job.spec),
            "stands": clean(gist(job, tell=clock), 160),
            "labels": " ".join(f"{name}={value}" for name, value in sorted(job.spec.labels.items())),
        }
        for job in jobs
    ]
    moment = "D MMM YYYY, HH:mm:ss"
    chosen = st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="table",
        row_height=34,
        height=min(34 * (len(rows) + 1) + 4, 880),
        column_config={
            "submitted": st.column_config.DatetimeColumn("submitted", format=moment, help="In your own time zone"),
            "UTC": st.column_config.DatetimeColumn("submitted, UTC", format=moment),
            "job": st.column_config.TextColumn("job", help="Choose a line to open its page", pinned=True),
        },
        column_order=["state", "job", "submitted", "took", "attempts", "asks for", "stands", "labels", "UTC"],
        alt="Jobs, newest first",
    )
    picked = chosen["selection"]["rows"]
    if picked and picked[0] < len(jobs):
        st.switch_page(cards.JOB_PAGE, query_params={"job": jobs[picked[0]].job_id})


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
    if jobs and not (choice.everything and choice.window.length is None):
        st.info(
            "No job fits these filters. Take one away, or look further back with **Submitted: all**.",
            icon=":material/filter_alt_off:",
        )
        return
    st.info(
        "No jobs yet. Type a message above and press **Add**, or start one with a command on the **Submit** page.",
        icon=":material/rocket_launch:",
    )
    st.page_link("screens/submit.py", label="Submit a job", icon=":material/add_circle:")


draw()
