"""Every state has its icon, its color and its word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mayfly.jobs.lifecycle import STATES, JobState
from streamlit_dashboard.state_style import CHART_COLORS, ICONS, badge, sign

STYLE = (Path(__file__).parents[2] / "streamlit_dashboard" / "style.css").read_text(encoding="utf-8")


def test_every_state_has_its_own_icon_and_its_own_color() -> None:
    for table in (ICONS, CHART_COLORS):
        assert set(table) == set(STATES)
        assert len(set(table.values())) == len(STATES)


@pytest.mark.parametrize("state", STATES)
def test_the_style_sheet_has_the_shape_and_the_color_of_each_state(state: JobState) -> None:
    classes = re.findall(r"mf-[\w-]+", badge(state))
    assert f"mf-sign-{state}" in classes
    assert [name for name in classes if f".{name}" not in STYLE] == []


@pytest.mark.parametrize("state", STATES)
def test_a_badge_has_the_word_and_hides_its_sign_from_screen_readers(state: JobState) -> None:
    assert re.sub(r"<[^>]+>", "", badge(state)) == state.replace("_", " ")
    assert 'aria-hidden="true"' in sign(state)
