"""How Mayfly itself does: log and projector, what waits, what stays behind, how jobs end, how long things take."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import pairwise

import streamlit as st

from mayfly.jobs.job import Attempt, Job
from mayfly.jobs.lifecycle import TERMINAL, JobState
from mayfly.views.stats import Span
from streamlit_dashboard import cards
from streamlit_dashboard.auto_refresh import log_stands, views_stand, watched
from streamlit_dashboard.bar_chart import Bar, Part, bars
from streamlit_dashboard.errors import said
from streamlit_dashboard.formatting import ago, ago_html, clean, lasting, moment_html, size, span, viewer_zone
from streamlit_dashboard.services import api, read_service

LOOK_S = 2.0
_LATE_S = 60.0
"""A deleted container may take a minute to go; after that it is worth a person's look."""
_POINTS = 25
_DAY = timedelta(hours=24)
_ROWS_MAX = 20
_OUTCOME_TIMES: tuple[tuple[str, Span, timedelta | None], ...] = (
    ("last hour", "minute", timedelta(hours=1)),
    ("24 hours", "hour", timedelta(hours=24)),
    ("all", "day", None),
)


def draw() -> None:
    """Draw the page."""
    st.title("System", anchor=False)
    watched(stands, every_s=LOOK_S)
    show()


def stands() -> Hashable:
    """Return what the page depends on. A job that was canceled may be late in going, which time alone brings about."""
    return api().healthy(), log_stands(), views_stand(), int(time.time() // _LATE_S)


def show() -> None:
    """Read, then draw what changes by itself."""
    now = datetime.now(UTC)
    with said("The stores could not be read", again=True):
        vitals(now)
    with said("The log could not be measured", again=True):
        growth(now)
    left, right = st.columns(2, gap="large")
    with left, said("How jobs end could not be read", again=True):
        outcomes(now)
    with right, said("The phases could not be read", again=True):
        phase_lengths()
    with said("What waits could not be read", again=True):
        held()
        lingering(now)


def vitals(now: datetime) -> None:
    """Draw whether each part answers."""
    service = read_service()
    began = time.perf_counter()
    well = api().healthy()
    took_ms = (time.perf_counter() - began) * 1_000
    lag = service.ask(service.overview.lag())
    columns = st.columns(4)
    columns[0].metric(
        "API", f"{took_ms:.0f} ms" if well else "no answer", border=True, help=api().url, height="stretch"
    )
    if not well:
        st.error(
            f"The API at {api().url} does not answer or is not well: jobs can be read here, and not submitted. "
            "This page looks again by itself.",
            icon=":material/cloud_off:",
        )
    size_now = service.ask(service.overview.growth(now=now, over=timedelta(hours=1), points=2))
    columns[1].metric(
        "Events in the log",
        f"{size_now.events:,}",
        border=True,
        help=service.stores.store
        if size_now.exact
        else f"{service.stores.store}; its own count, which may be minutes old",
        height="stretch",
    )
    told = size(size_now.log_bytes) if size_now.log_bytes is not None else "not told by this store"
    last_hour = size_now.points[-1][1] - size_now.points[0][1]
    columns[2].metric(
        "Log size",
        told,
        delta=f"{last_hour:,} events in the last hour",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
    )
    since = "" if lag.since is None else f"{span((now - lag.since).total_seconds())} behind"
    columns[3].metric(
        "Projector lag",
        f"{lag.events:,}{'+' if lag.more else ''} event{'s' if lag.events != 1 else ''}",
        delta=since or "up to date",
        delta_color="off",
        delta_arrow="off",
        height="stretch",
        border=True,
        help="Events in the log that the views do not show yet",
    )


def growth(now: datetime) -> None:
    """Draw how the log grew over a day."""
    service = read_service()
    until = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    found = service.ask(service.overview.growth(now=until, over=_DAY, points=_POINTS))
    st.subheader("The log's growth over 24 hours", anchor=False)
    if found.points[0][1] == found.points[-1][1]:
        st.caption("Nothing was written.")
    else:
        steps = [
            Bar(begun_at=begun_at, parts=[Part(word="", colour="#2f7de1", count=after - before)])
            for (begun_at, before), (_, after) in pairwise(found.points)
            if after > before
        ]
        html = bars(
            steps,
            width=_DAY / (_POINTS - 1),
            since=found.points[0][0],
            until=found.points[-1][0],
            zone=viewer_zone(),
            what="events",
            label=f"Events written over 24 hours: {found.points[-1][1] - found.points[0][1]:,}",
        )
        st.html(html)


def outcomes(now: datetime) -> None:
    """Draw how jobs ended."""
    st.subheader("How jobs end", anchor=False)
    service = read_service()
    rows: list[tuple[str, str, str]] = []
    for told, cut, length in _OUTCOME_TIMES:
        since = now - length if length else None
        counts: Counter[JobState] = Counter()
        for bucket in service.ask(service.overview.submitted(cut, since=since, archived=True)):
            if bucket.state in TERMINAL:
                counts[bucket.state] += bucket.jobs
        rows.append((escape(told), f"{counts.total():,}", cards.shares(counts)))
    if not counts:
        st.info("No job is over yet.", icon=":material/hourglass_empty:")
        return
    st.html(cards.table(("", "jobs", ""), rows))
    st.caption("By the time of submission; hidden jobs are counted too.")


def phase_lengths() -> None:
    """Draw how long each phase takes."""
    st.subheader("How long each phase takes", anchor=False)
    service = read_service()
    lengths = service.ask(service.overview.phase_lengths())
    if not lengths:
        st.info("No job is over and cleaned up yet.", icon=":material/hourglass_empty:")
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
    st.html(cards.table(("phase", "p50", "p95", "", "attempts"), rows))
    st.caption("Over the last 1,000 attempts of jobs that are over and cleaned up.")


def held() -> None:
    """Draw the jobs that may not start yet, and why."""
    service = read_service()
    count, jobs = service.ask(service.overview.attention("held"))
    st.subheader(f"Held jobs: {count:,}", anchor=False)
    if not jobs:
        st.caption("None: every job that waits is about to start.")
        return
    reasons = Counter(clean(job.held_reason or "", 160) for job in jobs)
    st.html(
        cards.table(
            ("reason", "jobs"), [(escape(reason), f"{times:,}") for reason, times in reasons.most_common(_ROWS_MAX)]
        )
    )
    links(jobs)


def lingering(now: datetime) -> None:
    """Draw the containers that should be gone and are not."""
    service = read_service()
    count, jobs = service.ask(service.overview.attention("lingering"))
    late = [
        (job, attempt)
        for job in jobs
        for attempt in job.lingering
        if attempt.ended_at is not None and (now - attempt.ended_at).total_seconds() > _LATE_S
    ]
    st.subheader(f"Containers that should be gone and are not: {len(late):,}", anchor=False)
    going = count - len({job.job_id for job, _ in late})
    if going > 0:
        st.caption(f"{going:,} more {'job is' if going == 1 else 'jobs are'} over and being cleaned up right now.")
    if not late:
        st.caption("None has been there for more than a minute after its end.")
        return
    rows = [
        (
            escape(attempt.group),
            escape(attempt.place),
            escape(attempt.container),
            ago_html(attempt.ended_at, now) if attempt.ended_at else "",
            _asked(attempt, now),
        )
        for job, attempt in late[:_ROWS_MAX]
    ]
    st.html(cards.table(("container", "where", "is", "ended", "delete asked"), rows))
    links([job for job, _ in late])


def _asked(attempt: Attempt, now: datetime) -> str:
    at = attempt.delete_requested_at
    return "not yet" if at is None else moment_html(at, f"{attempt.delete_requests} times, {ago(at, now)}")


def links(jobs: Sequence[Job]) -> None:
    """Draw ways to the pages of some jobs."""
    with st.container(horizontal=True):
        for job_id in list(dict.fromkeys(job.job_id for job in jobs))[:_ROWS_MAX]:
            st.page_link(cards.JOB_PAGE, label=job_id, query_params={"job": job_id}, icon=":material/description:")


draw()
