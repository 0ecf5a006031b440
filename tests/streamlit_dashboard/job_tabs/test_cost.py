"""The cost tab: amounts by purpose, and the prices that they are based on."""

from __future__ import annotations

import pytest

from tests.streamlit_dashboard.conftest import Open, shown, tab
from tests.streamlit_dashboard.seeding import FAILED, Seeded, succeeded

_TAB = ":material/payments: Cost"


def test_a_succeeded_job_was_useful_until_its_outcome_and_idle_afterward(seeded: Seeded, opened: Open) -> None:
    app = opened("job", job=seeded.job(1, succeeded()))
    tab(app, _TAB)
    text = shown(app)
    for name, length in (("useful", "3.0 s"), ("waste: failed attempts", "0.0 s"), ("waste: idle", "2.0 s")):
        assert f"<td>{name}</td><td>{length}</td>" in text
    assert "(40%)" in text


def test_everything_of_a_failed_job_is_waste(seeded: Seeded, opened: Open) -> None:
    app = opened("job", job=seeded.job(1, FAILED))
    tab(app, _TAB)
    text = shown(app)
    assert "<td>waste: failed attempts</td><td>2.0 s</td>" in text
    assert "(100%)" in text


def test_without_local_prices_the_amounts_are_those_of_azure(
    seeded: Seeded, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened("job", job=seeded.job(1, succeeded()))
    tab(app, _TAB)
    assert "Running here is free; the amounts are prices of Azure, East US." in shown(app)
    assert "$0.0001" in shown(app)
