"""One job, by its link `?job=ID`: status, phases, output, events and cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from html import escape

import streamlit as st

from mayfly.jobs.job import Job
from mayfly.jobs.names import is_job_id
from mayfly.jobs.phases import phases
from mayfly.views.job_views import JobFilter
from mayfly.wording.jobs import duration, summary
from mayfly.wording.specs import command_line
from mayfly.wording.text import printable
from streamlit_dashboard import cards
from streamlit_dashboard.errors import shows_errors
from streamlit_dashboard.formatting import ago, clock, clock_html, moment_html
from streamlit_dashboard.job_tabs.cost import draw_cost
from streamlit_dashboard.job_tabs.events import draw_events
from streamlit_dashboard.job_tabs.output import draw_output, draw_result
from streamlit_dashboard.job_tabs.spec import draw_spec
from streamlit_dashboard.job_tabs.usage import draw_usage
from streamlit_dashboard.services import api, ask, reader
from streamlit_dashboard.state_style import badge
from streamlit_dashboard.timeline import timeline

REFRESH_S = 1.0
_RECENT_MAX = 9
_TABS: Mapping[str, Callable[[Job], None]] = {
    ":material/terminal: Output": draw_output,
    ":material/monitoring: CPU and memory": draw_usage,
    ":material/history: Events": draw_events,
    ":material/description: Spec": draw_spec,
    ":material/payments: Cost": draw_cost,
}


def draw() -> None:
    job_id = st.query_params.get("job", "").strip()
    if not is_job_id(job_id):
        if job_id:
            fault = f"`{printable(job_id, 60)}` is not a job id. Job ids look like `ada-abcdefghij`."
            st.error(fault, icon=":material/error:")
        choose()
        return
    settled = False
    with shows_errors("The job could not be read"):
        settled = ask(reader().job(job_id)).settled
    # A settled job does not change, so its page does not poll.
    st.fragment(show, run_every=None if settled else REFRESH_S)(job_id, live=not settled)


def choose() -> None:
    """Let the viewer type a job id, or choose one of the newest jobs."""
    st.title("Job", anchor=False)
    with shows_errors("The newest jobs could not be read"):
        newest = ask(reader().page(JobFilter(archived=True), limit=_RECENT_MAX, cursor=None)).jobs
        typed = st.text_input("Job id", placeholder="ada-abcdefghij", key="typed", icon=":material/search:")
        if typed:
            st.query_params["job"] = typed.strip()
            st.rerun()
        if not newest:
            st.info("No jobs yet. Each job that you submit has its page here.", icon=":material/rocket_launch:")
            st.page_link("screens/submit.py", label="Submit a job", icon=":material/add_circle:")
            return
        st.caption("Newest jobs")
        cards.grid(newest, datetime.now(UTC))


def show(job_id: str, *, live: bool) -> None:
    """Read, then draw the parts that change."""
    with shows_errors("The job could not be read", retries=live):
        job = ask(reader().job(job_id))
        if live and job.settled:
            st.rerun()  # the whole page once; from then on, it does not poll
        now = datetime.now(UTC)
        head(job, now)
        time_and_result(job, now)
        for tab, draw_tab in zip(st.tabs(list(_TABS), key="tab", on_change="rerun"), _TABS.values(), strict=True):
            if tab.open:
                with tab:
                    draw_tab(job)


def head(job: Job, now: datetime) -> None:
    """Draw the job's title, state, actions and facts."""
    left, right = st.columns([3, 2], vertical_alignment="center")
    archived = '<span class="mf-badge mf-gray">archived</span>' if job.archived else ""
    left.html(f'<div class="mf-headline"><h2>{escape(cards.title(job))}</h2>{badge(job.state)}{archived}</div>')
    with right.container(horizontal=True, horizontal_alignment="right"):
        actions(job)
    st.html(f'<div class="mf-code">{escape(command_line(job.spec, chars_max=200))}</div>')
    status = printable(summary(job, format_time=clock), 400)
    if job.state in ("failed", "timed_out"):
        st.error(status, icon=":material/error:")
    elif job.held_reason and job.state == "queued":
        until = f" Next check at {clock(job.held_until)}." if job.held_until else ""
        st.info(f"Held: {printable(job.held_reason, 400)}.{until}", icon=":material/hourglass_top:")
    if job.state in ("starting", "running"):
        fraction, message = cards.attempt_progress(job.attempt)
        share = "" if fraction is None else f"{fraction:.0%}"
        st.html(
            f'<div class="mf-row"><span>{escape(message)}</span><b>{share}</b></div>'
            + cards.bar(fraction if job.state == "running" else None, "progress")
        )
    attempt = job.attempt
    since = ago(job.submitted_at, now)
    lingering = ", ".join(f"{a.group} ({a.container})" for a in job.lingering)
    cards.facts(
        ("submitted", f'{moment_html(job.submitted_at)}<br><span class="mf-muted">{since}, by {job.source}</span>'),
        ("duration", escape(duration(job, now))),
        ("attempts", f"{len(job.attempts)} of {job.spec.retry.max_attempts}"),
        ("container", escape(attempt.container if attempt else "none")),
        ("exit code", "" if attempt is None or attempt.exit_code is None else str(attempt.exit_code)),
        ("lingering", escape(lingering) if job.over else ""),
        ("next attempt", clock_html(job.retry_at)),
        ("ended", moment_html(job.ended_at)),
        ("size", f"{job.spec.cpu:g} CPU, {job.spec.memory_gb:g} GB"),
    )


def actions(job: Job) -> None:
    """Draw the buttons that act on the job."""
    if not job.over:
        if st.button("Cancel", icon=":material/cancel:", key="cancel"):
            with shows_errors("The job was not canceled"):
                api().cancel(job.job_id, reason="from the dashboard")
                st.session_state["toast"] = "Canceled. Its container is being deleted."
                st.rerun()
        return
    if not job.archived and st.button(
        "Archive", icon=":material/archive:", key="archive", help="Hide it from the board"
    ):
        with shows_errors("The job was not archived"):
            api().archive(job.job_id)
            st.session_state["toast"] = "Archived: hidden from the board, but nothing is erased."
            st.rerun()
    if st.button("Run again", icon=":material/replay:", type="primary", key="again", help="Submit a copy of this job"):
        st.switch_page("screens/submit.py", query_params={"again": job.job_id})


def time_and_result(job: Job, now: datetime) -> None:
    """Draw the phases of the job, and its result if it has one."""
    html = timeline(phases(job), begun_at=job.submitted_at, now=now, attempts=len(job.attempts))
    if job.state != "succeeded" or job.result is None:
        st.html(html)
        return
    left, right = st.columns([3, 2], gap="medium")
    left.html(html)
    with right:
        draw_result(job)


draw()
