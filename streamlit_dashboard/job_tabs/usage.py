"""CPU and memory of a job's container, while it exists and after it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from mayfly.jobs.job import Attempt, Job
from mayfly.wording.times import span
from streamlit_dashboard import cards
from streamlit_dashboard.charts import usage_chart
from streamlit_dashboard.errors import shows_errors
from streamlit_dashboard.formatting import size
from streamlit_dashboard.job_tabs.output import chosen_attempt
from streamlit_dashboard.services import api, ask, reader


def draw_usage(job: Job) -> None:
    """Draw the samples of an attempt."""
    attempt = chosen_attempt(job, "usage-attempt")
    if attempt is None:
        st.info("No samples yet: the job has not started.", icon=":material/monitoring:")
        return
    with shows_errors("The samples could not be read", retries=not job.settled):
        samples = samples_of(job, attempt)
        cards.facts(
            ("CPU time, measured by the worker", "" if attempt.cpu_s is None else span(attempt.cpu_s)),
            ("peak memory", "" if attempt.memory_peak_bytes is None else size(attempt.memory_peak_bytes)),
            ("samples", str(len(samples))),
            ("requested", f"{job.spec.cpu:g} CPU, {job.spec.memory_gb:g} GB"),
        )
        if not samples:
            never = "The attempt was too short for a sample."
            st.info(never if attempt.outcome else "No sample yet; each poll takes one.", icon=":material/monitoring:")
            return
        cpu, memory = [(at, cores) for at, cores, _ in samples], [(at, count / 1e6) for at, _, count in samples]
        charts = (
            ("CPU", "cores", cpu, job.spec.cpu, "#2f7de1", ".2f"),
            ("Memory", "MB", memory, job.spec.memory_gb * 1_000, "#8a63d2", ",.0f"),
        )
        for column, (name, unit, points, limit, color, number_format) in zip(st.columns(2), charts, strict=True):
            column.markdown(f"**{name}**, {unit}")
            chart = usage_chart(points, unit=unit, limit=limit, color=color, number_format=number_format)
            column.altair_chart(chart, width="stretch", key=name.lower(), alt=f"{name} of {attempt.group}")


def samples_of(job: Job, attempt: Attempt) -> Sequence[tuple[datetime, float, int]]:
    """Return the samples: from the API while the container exists, from the log afterward."""
    if attempt.metrics_position is None and attempt.container not in ("gone", "deleting"):
        return api().samples(job.job_id, attempt=attempt.number)
    return ask(reader().readings(job.job_id, attempt=attempt.number)).samples
