"""A job's output, live and searchable, and its result, drawn by its type."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from mayfly.jobs.job import Attempt, Job
from mayfly.wording.text import plural
from streamlit_dashboard.errors import shows_errors
from streamlit_dashboard.services import api, ask, reader

LINES_MAX = 1_000
"""Lines of output on the page; the download has all."""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")
"""Color codes of terminals, and invisible characters. Tabs and line breaks stay, unlike in one line of text."""
_SOURCES = {"container": "live", "log": "kept in the log", "report": "the end, as the worker reported it", "none": ""}


def draw_output(job: Job) -> None:
    """Draw an attempt's output."""
    attempt = chosen_attempt(job, "output-attempt")
    if attempt is None:
        st.info("No output yet: the job has not started.", icon=":material/terminal:")
        return
    with shows_errors("The output could not be read", retries=not job.settled):
        text, source, truncated = output_of(job, attempt)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            needle = st.text_input(
                "Search", key="log-search", placeholder="search", icon=":material/search:", label_visibility="collapsed"
            )
            follow = st.toggle("follow", value=True, key="log-follow", help="Scroll to new lines as they arrive")
            st.download_button(
                "Download",
                lambda: text,  # created on download, not for every new line
                file_name=f"{job.job_id}-{attempt.number}.log",
                icon=":material/download:",
                on_click="ignore",
                key="log-download",
            )
        if not text.strip():
            st.info("No output." if attempt.outcome else "No output yet.", icon=":material/terminal:")
            return
        html, found = log_html(text, needle or "")
        cut = "; the beginning is missing" if truncated else ""
        st.caption(" · ".join(part for part in (_SOURCES[source] + cut, found) if part))
        with st.container(height=380, border=True, autoscroll=follow and not needle, key="log"):
            st.html(html)


def output_of(job: Job, attempt: Attempt) -> tuple[str, str, bool]:
    """Return (text, source, truncated): from the API while the container exists, from the log afterward."""
    if attempt.logs_position is None and attempt.container != "gone":
        # Known output is not sent again. A viewer sees one log at a time, so only one is kept.
        of, known = st.session_state.get("live-log", (None, None))
        this = (job.job_id, attempt.number)
        live = api().output(job.job_id, attempt=attempt.number, known=known if of == this else None)
        st.session_state["live-log"] = (this, live)
        return live.text, live.source, live.truncated
    kept = ask(reader().output(job.job_id, attempt=attempt.number))
    return kept.text, kept.source, kept.truncated


def chosen_attempt(job: Job, key: str) -> Attempt | None:
    """Return the latest attempt, or the one that the viewer chose if there are several."""
    if len(job.attempts) < 2:
        return job.attempt
    numbers = [attempt.number for attempt in job.attempts]
    number = st.segmented_control(
        "Attempt", numbers, default=numbers[-1], key=f"{key}-{len(numbers)}", format_func=lambda n: f"attempt {n}"
    )
    return job.attempt_numbered(number or numbers[-1])


def log_html(text: str, needle: str) -> tuple[str, str]:
    """Return the lines as HTML with numbers and marked matches, and their count in words.

    >>> log_html("a" + chr(10) + "found it", "found")[1]
    '1 of 2 lines contains “found”'
    """
    lines = list(enumerate(_CONTROL.sub("", text.replace("\r\n", "\n")).splitlines(), 1))
    count = plural(len(lines), "line")
    if needle:
        found = [(number, line) for number, line in lines if needle.lower() in line.lower()]
        verb = "contains" if len(found) == 1 else "contain"
        count = f"{len(found):,} of {plural(len(lines), 'line')} {verb} “{needle}”"
        lines = found
    if len(lines) > LINES_MAX:
        count += f"; showing the last {LINES_MAX:,}"
    shown = "\n".join(f"<i>{number}</i>{_marked(line, needle)}" for number, line in lines[-LINES_MAX:])
    return f'<pre class="mf-log" tabindex="0" aria-label="output">{shown}</pre>', count


def draw_result(job: Job) -> None:
    """Draw the result by its type."""
    st.caption("Result")
    result = job.result
    match result:
        case bool() | int() | float():
            st.metric("result", f"{result:,}" if not isinstance(result, bool) else str(result).lower(), border=True)
        case str() if result.startswith("data:image/"):
            st.image(result)
        case str() if len(result) <= 60 and "\n" not in result:
            st.code(result, language=None, wrap_lines=True)
        case str():
            st.code(result, language=None, wrap_lines=True, height=220)
        case [dict(), *_] if all(_is_flat(row) for row in result):
            st.dataframe(pd.DataFrame(result), hide_index=True, height="content" if len(result) < 8 else 260)
        case dict() if result and _is_flat(result) and len(result) <= 4:
            with st.container(horizontal=True):
                for name, value in result.items():
                    st.metric(str(name), f"{value:,}" if isinstance(value, int) else str(value), border=True, width=150)
        case _:
            st.json(result, expanded=2)


def _is_flat(value: Any) -> bool:
    return isinstance(value, dict) and not any(isinstance(inner, dict | list) for inner in value.values())


def _marked(line: str, needle: str) -> str:
    if not needle:
        return escape(line)
    parts = re.split(f"({re.escape(needle)})", line, flags=re.IGNORECASE)
    return "".join(f"<mark>{escape(part)}</mark>" if n % 2 else escape(part) for n, part in enumerate(parts))
