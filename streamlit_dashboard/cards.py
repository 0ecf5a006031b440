"""Parts of pages: tiles, job cards, rows, facts, tables. Text from a job is always escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

import streamlit as st

from mayfly.jobs.job import Attempt, Job
from mayfly.jobs.lifecycle import STATES, JobState
from mayfly.wording.jobs import duration, label_list, labels, summary
from mayfly.wording.specs import command_line
from mayfly.wording.states import STATE_STYLES
from mayfly.wording.text import printable
from streamlit_dashboard.formatting import ago, clock, moment_html
from streamlit_dashboard.state_style import CHART_COLORS, badge, sign

JOB_PAGE = "screens/job.py"
_LABELS_MAX = 4
"""Labels on a card."""
_ROW_HEADS = ("state", "submitted", "duration", "attempts", "command", "status", "labels")


def tiles(counts: Mapping[JobState, int], *, containers: int) -> str:
    """Return the numbers of containers and of jobs in each state as HTML."""
    parts = [f'<div class="mf-tile"><b>{containers:,}</b><span>containers</span></div>']
    for state in STATES:
        style = STATE_STYLES[state]
        parts.append(
            f'<div class="mf-tile mf-{style.tone}" style="--line:{CHART_COLORS[state]}"><b>{counts[state]:,}</b>'
            f"<span>{sign(state)}{escape(style.word)}</span></div>"
        )
    return f'<div class="mf-tiles">{"".join(parts)}</div>'


def grid(jobs: Sequence[Job], now: datetime) -> None:
    """Draw each job as a card that links to its page."""
    with st.container(key="grid"):
        for job in jobs:
            _linked(job, "card", _card_body(job, now))


def rows(jobs: Sequence[Job], now: datetime) -> None:
    """Draw each job as a row of a table that links to its page."""
    heads = "".join(f"<b>{head}</b>" for head in _ROW_HEADS)
    with st.container(key="rows"):
        st.html(f'<div class="mf-job-head"><b>job</b><div class="mf-job">{heads}</div></div>')
        for job in jobs:
            cells = "".join(f"<div>{cell}</div>" for cell in _row_cells(job, now))
            _linked(job, "row", f'<div class="mf-job">{cells}</div>')


def _row_cells(job: Job, now: datetime) -> Sequence[str]:
    return (
        badge(job.state),
        moment_html(job.submitted_at),
        escape(duration(job, now)),
        str(len(job.attempts)),
        f'<span class="mf-code">{escape(command_line(job.spec, chars_max=200))}</span>',
        f'<span class="mf-summary">{escape(printable(summary(job, format_time=clock), 160))}</span>',
        f'<span class="mf-muted">{escape(printable(labels(job), 120))}</span>',
    )


def _linked(job: Job, kind: str, body: str) -> None:
    with st.container(key=f"{kind}-{STATE_STYLES[job.state].tone}-{job.job_id}"):
        st.page_link(JOB_PAGE, label=title(job), query_params={"job": job.job_id}, width="stretch")
        st.html(body)


def title(job: Job) -> str:
    """Return the title of a job: its id, after its name if the id does not begin with it."""
    name = job.spec.name
    return job.job_id if name is None or job.job_id.startswith(name) else f"{name} · {job.job_id}"


def bar(fraction: float | None, label: str) -> str:
    """Return a progress bar as HTML; None: the fraction is unknown."""
    attributes = f'role="progressbar" aria-label="{escape(label, quote=True)}"'
    if fraction is None:
        return f'<div class="mf-bar mf-unknown" {attributes}><i></i></div>'
    value = f'aria-valuenow="{fraction * 100:.0f}" aria-valuemin="0" aria-valuemax="100"'
    return f'<div class="mf-bar" {attributes} {value}><i style="width:{fraction:.0%}"></i></div>'


def facts(*pairs: tuple[str, str]) -> None:
    """Draw (name, value as HTML) pairs as a grid. Empty values are left out."""
    cells = "".join(f"<div><small>{escape(name)}</small><span>{value}</span></div>" for name, value in pairs if value)
    st.html(f'<div class="mf-facts">{cells}</div>')


def table(heads: Sequence[str], cells: Sequence[Sequence[str]], classes: Sequence[str] = ()) -> None:
    """Draw a table of rows of cells that are HTML; `classes` has one class per row."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        f'<tr class="{name}">' + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
        for row, name in zip(cells, classes or [""] * len(cells), strict=True)
    )
    whole = f'<table class="mf-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    st.html(f'<div class="mf-scroll">{whole}</div>')


def shares(counts: Mapping[JobState, int]) -> str:
    """Return the shares of the states as HTML: one bar, and the same as signs and numbers."""
    whole = sum(counts.values()) or 1
    present = [state for state in STATES if counts.get(state)]
    bars = "".join(f'<i style="width:{counts[s] / whole:.2%};background:{CHART_COLORS[s]}"></i>' for s in present)
    legend = "".join(
        f'<span class="mf-{STATE_STYLES[s].tone}">{sign(s)}{STATE_STYLES[s].word} {counts[s]:,}'
        f" ({counts[s] / whole:.1%})</span>"
        for s in present
    )
    return f'<div class="mf-shares" aria-hidden="true">{bars}</div><div class="mf-legend">{legend}</div>'


def attempt_progress(attempt: Attempt | None) -> tuple[float | None, str]:
    """Return the progress that an attempt reported: its fraction and its message."""
    progress = attempt.progress if attempt is not None else None
    return (None, "") if progress is None else (progress.fraction, printable(progress.message, 120))


def _card_body(job: Job, now: datetime) -> str:
    attempts_max = job.spec.retry.max_attempts
    attempts = f"attempt {len(job.attempts)} of {attempts_max}" if attempts_max > 1 else ""
    footer = " · ".join(part for part in (attempts, duration(job, now)) if part)
    since = moment_html(job.submitted_at, ago(job.submitted_at, now))
    parts = [
        f'<div class="mf-row">{badge(job.state)}<span class="mf-muted">{since}</span></div>',
        f'<div class="mf-code">{escape(command_line(job.spec, chars_max=200))}</div>',
    ]
    if job.state in ("starting", "running"):
        fraction, _ = attempt_progress(job.attempt)
        parts.append(bar(fraction if job.state == "running" else None, f"progress of {job.job_id}"))
    status = printable(summary(job, format_time=clock), 160)
    lingering = " · its container still exists" if job.lingering and job.over else ""
    parts.append(
        f'<div class="mf-row"><span class="mf-summary">{escape(status)}</span></div>'
        f'<div class="mf-row mf-muted"><span>{escape(footer)}{lingering}</span></div>'
    )
    if job.spec.labels:
        shown = [escape(printable(label, 40)) for label in label_list(job)[:_LABELS_MAX]]
        pills = "".join(f'<span class="mf-label">{label}</span>' for label in shown)
        parts.append(f"<div>{pills}</div>")
    return f'<div class="mf-card">{"".join(parts)}</div>'
