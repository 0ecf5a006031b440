"""The filters of the board: the conditions, the age, and the width of the bars."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mayfly.views.job_views import JobFilter
from streamlit_dashboard.board_choice import WINDOWS, Choice

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def _choice(conditions: JobFilter, window: str = "all") -> Choice:
    return Choice(window=WINDOWS[window], conditions=conditions, layout="cards")


@pytest.mark.parametrize(("window", "hours"), [("1 h", 1), ("24 h", 24), ("7 d", 168), ("30 d", 720)])
def test_a_window_begins_its_length_before_now(window: str, hours: int) -> None:
    assert _choice(JobFilter(), window).since(NOW) == NOW - timedelta(hours=hours)


def test_all_jobs_have_no_beginning() -> None:
    assert _choice(JobFilter()).since(NOW) is None


@pytest.mark.parametrize("archived", [True, False])
def test_neither_the_age_nor_archived_jobs_hide_others(archived: bool) -> None:
    assert _choice(JobFilter(archived=archived), "1 h").everything


@pytest.mark.parametrize(
    "conditions",
    [JobFilter(states=frozenset({"failed"})), JobFilter(name_contains="resize"), JobFilter(labels={"team": "web"})],
)
def test_any_other_filter_hides_jobs(conditions: JobFilter) -> None:
    assert not _choice(conditions).everything


def test_a_window_has_a_few_dozen_bars() -> None:
    widths = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
    bars = [window.length / widths[window.span] for window in WINDOWS.values() if window.length is not None]
    assert bars == [60, 24, 168, 30]
