"""CPU and memory of a job's container, while it is there and after it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from mayfly.jobs.job import Attempt, Job
from streamlit_dashboard import cards, charts
from streamlit_dashboard.errors import said
from streamlit_dashboard.formatting import size, span
from streamlit_dashboard.job_tabs.output import chosen_attempt
from streamlit_dashboard.services import api, read_service


def draw_usage(job: Job, now: datetime) -> None:  # noqa: ARG001 - tabs share one signature
    """Draw an attempt's readings."""
    attempt = chosen_attempt(job, "usage-attempt")
    if attempt is None:
        st.info("No readings yet: it has not started.", icon=":material/monitoring:")
        return
    with said("The readings could not be read", again=not job.settled):
        samples = samples_of(job, attempt)
        st.html(
            cards.facts(
                [
                    ("CPU time, by the worker", "" if attempt.cpu_s is None else span(attempt.cpu_s)),
                    ("most memory", "" if attempt.memory_peak_bytes is None else size(attempt.memory_peak_bytes)),
                    ("readings", str(len(samples))),
                    ("asked for", f"{job.spec.cpu:g} CPU, {job.spec.memory_gb:g} GB"),
                ]
            )
        )
        if not samples:
            waits = attempt.outcome is None
            st.info(
                "No reading yet; one is taken at each look." if waits else "It was too short for a reading.",
                icon=":material/monitoring:",
            )
            return
        left, right = st.columns(2)
        left.markdown("**CPU**, cores")
        left.altair_chart(
            charts.cpu(samples, cores=job.spec.cpu), width="stretch", key="cpu", alt=f"CPU of {attempt.group}"
        )
        right.markdown("**Memory**, MB")
        right.altair_chart(
            charts.memory(samples, gigabytes=job.spec.memory_gb),
            width="stretch",
            key="memory",
            alt=f"Memory of {attempt.group}",
        )


def samples_of(job: Job, attempt: Attempt) -> Sequence[tuple[datetime, float, int]]:
    """Return the readings: from the API while the container is there, from the log afterwards."""
    if attempt.metrics_position is None and attempt.container not in ("gone", "deleting"):
        return api().readings(job.job_id, attempt=attempt.number)
    service = read_service()
    return service.ask(service.reader.readings(job.job_id, attempt=attempt.number)).samples
