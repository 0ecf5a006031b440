"""The usage tab: CPU and memory."""

from __future__ import annotations

import pytest

from tests.streamlit_dashboard.conftest import Open, shown, tab
from tests.streamlit_dashboard.seeding import Seeded, succeeded


@pytest.mark.parametrize("name", [":material/monitoring: CPU and memory", ":material/payments: Cost"])
def test_usage_and_cost_are_there_after_the_container_is_gone(seeded: Seeded, opened: Open, name: str) -> None:
    app = opened("job", job=seeded.job(1, succeeded()))
    tab(app, name)
    text = shown(app)
    assert not app.exception
    assert "1 CPU, 1.5 GB" in text
    assert ("waste: idle" in text) == ("Cost" in name)
