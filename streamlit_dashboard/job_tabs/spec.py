"""What a job asked for, as it was accepted."""

from __future__ import annotations

from datetime import datetime
from html import escape

import streamlit as st

from mayfly.jobs.job import Job
from mayfly.wording.specs import deadlines
from streamlit_dashboard import cards
from streamlit_dashboard.formatting import span


def draw_spec(job: Job, now: datetime) -> None:  # noqa: ARG001 - tabs share one signature
    """Draw the spec: first in words, then as JSON."""
    spec = job.spec
    retry = spec.retry
    again = f"{retry.max_attempts} at most"
    if retry.max_attempts > 1:
        again += f", {span(retry.backoff_s)} before the second, {retry.backoff_factor:g} times as long each time"
    st.html(
        cards.facts(
            [
                ("size", f"{spec.cpu:g} CPU, {spec.memory_gb:g} GB"),
                ("deadlines", escape(deadlines(spec))),
                ("attempts", escape(again)),
                ("image", escape(spec.image or "the standard worker")),
                ("labels", escape(", ".join(f"{n}={v}" for n, v in sorted(spec.labels.items())))),
                ("env", escape(", ".join(f"{n}={v}" for n, v in spec.env.items()))),
                ("secrets, by name", escape(", ".join(f"{n} from {v}" for n, v in spec.secrets.items()))),
                ("idempotency key", escape(job.idempotency_key or "")),
            ]
        )
    )
    st.json(spec.model_dump(mode="json", exclude_defaults=True), expanded=3)
