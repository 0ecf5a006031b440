"""What a job cost, with what was wasted set apart."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from mayfly.jobs.costs import EAST_US, cost
from mayfly.jobs.job import Job
from streamlit_dashboard import cards
from streamlit_dashboard.formatting import money, span
from streamlit_dashboard.services import read_service


def draw_cost(job: Job, now: datetime) -> None:
    """Draw the cost by what it was good for."""
    spent = cost(job, now)
    prices = read_service().stores.prices
    size = {"cpu": job.spec.cpu, "memory_gb": job.spec.memory_gb}
    here, azure = prices.per_hour(**size) / 3_600, EAST_US.per_hour(**size) / 3_600
    parts = [
        ("useful", spent.useful_s, "from the request of the container to its outcome"),
        ("waste: failed attempts", spent.failed_s, "attempts that failed, ran out of time or were canceled"),
        ("waste: idle", spent.idle_s, "between the outcome and the container's being gone"),
    ]
    share = spent.waste_s / spent.total_s if spent.total_s else 0.0
    price = here or azure
    st.html(
        cards.facts(
            [
                ("so far" if not job.settled else "in all", f"<b>{money(price * spent.total_s)}</b>"),
                ("of it waste", f"{money(price * spent.waste_s)} ({share:.0%})"),
                ("container time", span(spent.total_s)),
                ("core seconds", f"{spent.total_s * job.spec.cpu:,.1f}"),
                ("GB seconds", f"{spent.total_s * job.spec.memory_gb:,.1f}"),
            ]
        )
        + cards.table(
            ("", "time", "cost", "what"),
            [
                (name, span(seconds), money(price * seconds), f'<span class="mf-muted">{what}</span>')
                for name, seconds, what in parts
            ],
        )
    )
    st.caption(
        "An upper bound: a container is billed from its image's pull until it stops, by the second. "
        + ("" if here else "This place bills nothing; the amounts are what it would cost in Azure, East US.")
    )
