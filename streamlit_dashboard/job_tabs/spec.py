"""The spec of a job, as it was accepted."""

from __future__ import annotations

from html import escape

import streamlit as st

from mayfly.jobs.job import Job
from mayfly.wording.jobs import labels
from mayfly.wording.specs import attempts, deadlines
from streamlit_dashboard import cards


def draw_spec(job: Job) -> None:
    """Draw the spec, first in words and then as JSON."""
    spec = job.spec
    cards.facts(
        ("size", f"{spec.cpu:g} CPU, {spec.memory_gb:g} GB"),
        ("deadlines", escape(deadlines(spec))),
        ("attempts", escape(attempts(spec))),
        ("image", escape(spec.image or "the standard worker")),
        ("labels", escape(labels(job))),
        ("env", escape(" ".join(f"{n}={v}" for n, v in spec.env.items()))),
        ("secrets, by name", escape(", ".join(f"{n} from {v}" for n, v in spec.secrets.items()))),
        ("idempotency key", escape(job.idempotency_key or "")),
    )
    st.json(spec.model_dump(mode="json", exclude_defaults=True), expanded=3)
