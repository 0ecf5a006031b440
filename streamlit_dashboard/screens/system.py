"""The health of Mayfly itself: log, projector lag, held jobs, lingering containers, outcomes, phase durations."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import pairwise

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import TERMINAL, JobState
from mayfly.views.stats import Span
from mayfly.wording.text import plural, printable
from mayfly.wording.times import span
from streamlit_dashboard import cards
from streamlit_dashboard.auto_refresh import log_position, rerun_on_change, views_position
from streamlit_dashboard.bar_chart import Bar, Part, bar_chart
from streamlit_dashboard.errors import shows_errors
from streamlit_dashboard.formatting import ago, lasting, moment_html, size, viewer_zone
from streamlit_dashboard.services import api, ask, overview, stores

POLL_S = 2.0
_LATE_S = 60.0
"""A deleted container can take a minute to go; one that takes longer is shown."""
_POINTS = 25
_DAY = timedelta(hours=24)
_ROWS_MAX = 20
_OUTCOME_TIMES: tuple[tuple[str, Span, timedelta | None], ...] = (
    ("last hour", "minute", timedelta(hours=1)),
    ("24 hours", "hour", timedelta(hours=24)),
    ("all", "day", None),
)


def draw() -> None:
    st.title("System", anchor=False)
    rerun_on_change(page_state, every_s=POLL_S)
    show()


def page_state() -> Hashable:
    """Return the state that the page shows. Time is part of it, because time alone makes a container late."""
    return api().healthy(), log_position(), views_position(), int(time.time() // _LATE_S)


def show() -> None:
    """Read, then draw the parts that change."""
    now = datetime.now(UTC)
    with shows_errors("The stores could not be read", retries=True):
        vitals(now)
    with shows_errors("The growth of the log could not be read", retries=True):
        growth(now)
    left, right = st.columns(2, gap="large")
    with left, shows_errors("The outcomes could not be read", retries=True):
        outcomes(now)
    with right, shows_errors("The phase durations could not be read", retries=True):
        phase_durations()
    with shows_errors("Held and lingering jobs could not be read", retries=True):
        held()
        lingering(now)


def vitals(now: datetime) -> None:
    """Draw the health and the size of each part."""
    began = time.perf_counter()
    healthy = api().healthy()
    latency_ms = (time.perf_counter() - began) * 1_000
    if not healthy:
        st.error(
            f"The API at {api().url} does not answer or is unhealthy: you can view jobs but not submit or cancel them. "
            "This page retries automatically.",
            icon=":material/cloud_off:",
        )
    columns = st.columns(4)
    _tile(columns[0], "API", f"{latency_ms:.0f} ms" if healthy else "no answer", explanation=api().url)
    lag = ask(overview().lag())
    size_now = ask(overview().growth(now=now, over=timedelta(hours=1), points=2))
    last_hour = size_now.points[-1][1] - size_now.points[0][1]
    store = stores().store if size_now.exact else f"{stores().store}; the store's own count, which may be minutes old"
    log_size = "unknown" if size_now.log_bytes is None else size(size_now.log_bytes)
    missing = f"{lag.events:,}+ events" if lag.more else plural(lag.events, "event")
    behind = "up to date" if lag.since is None else f"{span((now - lag.since).total_seconds())} behind"
    _tile(columns[1], "Events in the log", f"{size_now.events:,}", explanation=store)
    _tile(columns[2], "Log size", log_size, f"{last_hour:,} events in the last hour")
    _tile(columns[3], "Projector lag", missing, behind, "Events in the log that are not in the views yet")


def _tile(
    column: DeltaGenerator, label: str, value: str, delta: str | None = None, explanation: str | None = None
) -> None:
    column.metric(
        label, value, delta, delta_color="off", delta_arrow="off", border=True, help=explanation, height="stretch"
    )


def growth(now: datetime) -> None:
    """Draw the growth of the log over a day."""
    until = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    found = ask(overview().growth(now=until, over=_DAY, points=_POINTS))
    st.subheader("Log growth, last 24 hours", anchor=False)
    (since, first), (until, last) = found.points[0], found.points[-1]
    if first == last:
        st.caption("No events.")
        return
    bars = [
        Bar(begun_at=begun_at, parts=[Part(word="", color="#2f7de1", count=after - before)])
        for (begun_at, before), (_, after) in pairwise(found.points)
        if after > before
    ]
    label = f"Events in the last 24 hours: {last - first:,}"
    width = _DAY / (_POINTS - 1)
    st.html(bar_chart(bars, width=width, since=since, until=until, zone=viewer_zone(), noun="events", label=label))


def outcomes(now: datetime) -> None:
    """Draw the outcomes of jobs."""
    st.subheader("Outcomes", anchor=False)
    rows: list[tuple[str, str, str]] = []
    for name, cut, length in _OUTCOME_TIMES:
        since = now - length if length else None
        counts: Counter[JobState] = Counter()
        for bucket in ask(overview().submitted(cut, since=since, archived=True)):
            if bucket.state in TERMINAL:
                counts[bucket.state] += bucket.jobs
        rows.append((escape(name), f"{counts.total():,}", cards.shares(counts)))
    if not counts:
        st.info("No job is over yet.", icon=":material/hourglass_empty:")
        return
    cards.table(("", "jobs", ""), rows)
    st.caption("By time of submission, including archived jobs.")


def phase_durations() -> None:
    """Draw the duration of each phase."""
    st.subheader("Phase durations", anchor=False)
    lengths = ask(overview().phase_lengths())
    if not lengths:
        st.info("No job is settled yet.", icon=":material/hourglass_empty:")
        return
    slowest = max(length.p95_s for length in lengths) or 1.0
    rows = [
        (
            escape(length.name),
            lasting(length.p50_s),
            lasting(length.p95_s),
            f'<div class="mf-bar" style="width: 9rem"><i style="width: {length.p95_s / slowest:.1%}"></i></div>',
            f"{length.attempts:,}",
        )
        for length in lengths
    ]
    cards.table(("phase", "p50", "p95", "", "attempts"), rows)
    st.caption("The last 1,000 attempts of settled jobs.")


def held() -> None:
    """Draw the jobs that are held, and why."""
    count, jobs = ask(overview().attention("held"))
    st.subheader(f"Held jobs: {count:,}", anchor=False)
    if not jobs:
        st.caption("None.")
        return
    reasons = Counter(printable(job.held_reason or "", 160) for job in jobs)
    rows = [(escape(reason), f"{times:,}") for reason, times in reasons.most_common(_ROWS_MAX)]
    cards.table(("reason", "jobs"), rows)
    links(jobs)


def lingering(now: datetime) -> None:
    """Draw the containers that have outlived their attempt."""
    count, jobs = ask(overview().attention("lingering"))
    late = [
        (job, attempt)
        for job in jobs
        for attempt in job.lingering
        if attempt.ended_at is not None and (now - attempt.ended_at).total_seconds() > _LATE_S
    ]
    st.subheader(f"Lingering containers: {len(late):,}", anchor=False)
    cleaning = count - len({job.job_id for job, _ in late})
    if cleaning > 0:
        st.caption(f"The containers of {plural(cleaning, 'finished job')} are being deleted right now.")
    if not late:
        st.caption("No container has outlived its attempt by more than a minute.")
        return
    rows = [
        (
            escape(attempt.group),
            escape(attempt.place),
            escape(attempt.container),
            _ago_html(attempt.ended_at, now),
            _ago_html(attempt.delete_requested_at, now, f"{plural(attempt.delete_requests, 'time')}, last ")
            or "not yet",
        )
        for job, attempt in late[:_ROWS_MAX]
    ]
    cards.table(("container", "place", "state", "ended", "delete requested"), rows)
    links([job for job, _ in late])


def _ago_html(at: datetime | None, now: datetime, before: str = "") -> str:
    return moment_html(at, f"{before}{ago(at, now)}") if at else ""


def links(jobs: Sequence[Job]) -> None:
    """Draw links to the pages of some jobs."""
    with st.container(horizontal=True):
        for job_id in list(dict.fromkeys(job.job_id for job in jobs))[:_ROWS_MAX]:
            st.page_link(cards.JOB_PAGE, label=job_id, query_params={"job": job_id}, icon=":material/description:")


draw()
