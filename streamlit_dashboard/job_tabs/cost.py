"""The cost of a job, with waste shown separately."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from mayfly.jobs.costs import EAST_US, cost
from mayfly.jobs.job import Job
from mayfly.wording.times import span
from streamlit_dashboard import cards
from streamlit_dashboard.formatting import money
from streamlit_dashboard.services import stores


def draw_cost(job: Job) -> None:
    """Draw the cost by purpose."""
    spent = cost(job, datetime.now(UTC))
    size = {"cpu": job.spec.cpu, "memory_gb": job.spec.memory_gb}
    here, azure = stores().prices.per_hour(**size) / 3_600, EAST_US.per_hour(**size) / 3_600
    parts = (
        ("useful", spent.useful_s, "from the request of the container to the outcome"),
        ("waste: failed attempts", spent.failed_s, "attempts that failed, timed out or were canceled"),
        ("waste: idle", spent.idle_s, "from the outcome until the container was gone"),
    )
    share = spent.waste_s / spent.total_s if spent.total_s else 0.0
    price = here or azure
    cards.facts(
        ("total so far" if not job.settled else "total", f"<b>{money(price * spent.total_s)}</b>"),
        ("waste", f"{money(price * spent.waste_s)} ({share:.0%})"),
        ("container time", span(spent.total_s)),
        ("core seconds", f"{spent.total_s * job.spec.cpu:,.1f}"),
        ("GB seconds", f"{spent.total_s * job.spec.memory_gb:,.1f}"),
    )
    rows = [
        (name, span(seconds), money(price * seconds), f'<span class="mf-muted">{meaning}</span>')
        for name, seconds, meaning in parts
    ]
    cards.table(("", "time", "cost", "meaning"), rows)
    st.caption(
        "An upper bound: a container is billed by the second, from the image pull until it stops. "
        + ("" if here else "Running here is free; the amounts are prices of Azure, East US.")
    )
