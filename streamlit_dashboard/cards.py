"""The pieces that pages are made of: tiles, job cards, facts, tables. Text that came from a job is always escaped."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape

import streamlit as st

from mayfly.jobs.job import Attempt, Job
from mayfly.jobs.lifecycle import STATES, JobState
from mayfly.jobs.spec import JobSpec
from mayfly.wording.jobs import duration, summary
from streamlit_dashboard.formatting import ago_html, clean, clock, moment_html
from streamlit_dashboard.state_style import LOOKS, badge, sign

JOB_PAGE = "screens/job.py"


def tiles(counts: Mapping[JobState, int], extra: Iterable[tuple[str, str]] = ()) -> str:
    """Return the counts by state as HTML, with further tiles (what, value) before them."""
    parts = [f'<div class="mf-tile"><b>{escape(value)}</b><span>{escape(what)}</span></div>' for what, value in extra]
    for state in STATES:
        look = LOOKS[state]
        parts.append(
            f'<div class="mf-tile mf-{look.tone}" style="--line:{look.chart}"><b>{counts[state]:,}</b>'
            f"<span>{sign(state)}{escape(look.word)}</span></div>"
        )
    return f'<div class="mf-tiles">{"".join(parts)}</div>'


def card(job: Job, now: datetime) -> None:
    """Draw a job as a card that leads to its page."""
    tone = LOOKS[job.state].tone
    with st.container(key=f"card-{tone}-{job.job_id}"):
        st.page_link(JOB_PAGE, label=title(job), query_params={"job": job.job_id}, width="stretch")
        st.html(_card_body(job, now))


_LINE_HEADS = ("state", "submitted", "took", "tries", "asks for", "stands", "labels")
LINE_HEAD = (
    '<div class="mf-line-head"><b>job</b><div class="mf-line">'
    + "".join(f"<b>{head}</b>" for head in _LINE_HEADS)
    + "</div></div>"
)
"""What stands above the lines."""


def line(job: Job, now: datetime) -> None:
    """Draw a job as a line of a table that leads to its page."""
    told = clean(summary(job, tell=clock), 160)
    labels = " ".join(f"{name}={value}" for name, value in sorted(job.spec.labels.items()))
    cells = (
        badge(job.state),
        moment_html(job.submitted_at),
        escape(duration(job, now)),
        str(len(job.attempts)),
        f'<span class="mf-code">{escape(wanted(job.spec))}</span>',
        f'<span class="mf-summary">{escape(told)}</span>',
        f'<span class="mf-muted">{escape(clean(labels, 120))}</span>',
    )
    with st.container(key=f"line-{LOOKS[job.state].tone}-{job.job_id}"):
        st.page_link(JOB_PAGE, label=title(job), query_params={"job": job.job_id}, width="stretch")
        st.html(f'<div class="mf-line">{"".join(f"<div>{cell}</div>" for cell in cells)}</div>')


def title(job: Job) -> str:
    """Return what people call a job: its name with its id, where the id does not begin with it."""
    name = job.spec.name
    return job.job_id if name is None or job.job_id.startswith(name) else f"{name} · {job.job_id}"


def wanted(spec: JobSpec) -> str:
    """Return what a spec asks for in one line."""
    if spec.command is None:
        return clean(spec.message or "", 200)
    command = clean(shlex.join(spec.command), 200)
    return f"{spec.image} · {command}" if spec.image else command


def bar(fraction: float | None, label: str) -> str:
    """Return progress as HTML; None: it goes on, and nobody knows how far."""
    if fraction is None:
        return (
            f'<div class="mf-bar mf-unknown" role="progressbar" aria-label="{escape(label, quote=True)}"><i></i></div>'
        )
    share = f"{fraction:.0%}"
    return (
        f'<div class="mf-bar" role="progressbar" aria-valuenow="{fraction * 100:.0f}" aria-valuemin="0"'
        f' aria-valuemax="100" aria-label="{escape(label, quote=True)}"><i style="width:{share}"></i></div>'
    )


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return (name, value as HTML) pairs as HTML, as many beside each other as fit; empty values are left out."""
    return (
        '<div class="mf-facts">'
        + "".join(f"<div><small>{escape(name)}</small><span>{value}</span></div>" for name, value in pairs if value)
        + "</div>"
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], classes: Sequence[str] | None = None) -> str:
    """Return cells that are HTML as a table; `classes` has one for each row."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        f'<tr class="{classes[number] if classes else ""}">' + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
        for number, row in enumerate(rows)
    )
    whole = f'<table class="mf-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="mf-scroll">{whole}</div>'


def shares(counts: Mapping[JobState, int]) -> str:
    """Return how many jobs are in each state as HTML: one bar, and the same in signs and numbers."""
    whole = sum(counts.values()) or 1
    there = [state for state in STATES if counts.get(state)]
    bars = "".join(f'<i style="width:{counts[s] / whole:.2%};background:{LOOKS[s].chart}"></i>' for s in there)
    told = "".join(
        f'<span class="mf-{LOOKS[s].tone}">{sign(s)}{LOOKS[s].word} {counts[s]:,} ({counts[s] / whole:.1%})</span>'
        for s in there
    )
    return f'<div class="mf-shares" aria-hidden="true">{bars}</div><div class="mf-told">{told}</div>'


def attempt_progress(attempt: Attempt | None) -> tuple[float | None, str]:
    """Return how far an attempt says it is, and its words."""
    progress = attempt.progress if attempt is not None else None
    return (None, "") if progress is None else (progress.fraction, clean(progress.message, 120))


def _card_body(job: Job, now: datetime) -> str:
    took = duration(job, now)
    tries = f"attempt {len(job.attempts)} of {job.spec.retry.max_attempts}" if job.spec.retry.max_attempts > 1 else ""
    rest = " · ".join(part for part in (tries, took) if part)
    parts = [
        f'<div class="mf-row">{badge(job.state)}<span class="mf-muted">{ago_html(job.submitted_at, now)}</span></div>',
        f'<div class="mf-code">{escape(wanted(job.spec)) or "&nbsp;"}</div>',
    ]
    if job.state in ("starting", "running"):
        fraction, _ = attempt_progress(job.attempt)
        parts.append(bar(fraction if job.state == "running" else None, f"progress of {job.job_id}"))
    told = clean(summary(job, tell=clock), 160)
    lingers = " · its container is still there" if job.lingering and job.over else ""
    parts.append(
        f'<div class="mf-row"><span class="mf-summary">{escape(told)}</span></div>'
        f'<div class="mf-row mf-muted"><span>{escape(rest)}{lingers}</span></div>'
    )
    if job.spec.labels:
        shown = sorted(job.spec.labels.items())[:4]
        parts.append(
            "<div>"
            + "".join(f'<span class="mf-label">{escape(clean(f"{n}={v}", 40))}</span>' for n, v in shown)
            + "</div>"
        )
    return f'<div class="mf-card">{"".join(parts)}</div>'
