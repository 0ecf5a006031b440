"""The filters of the board become the query for the list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mayfly.views.job_views import JobFilter
from streamlit_dashboard.board_choice import WINDOWS, Choice

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
_ALL = Choice(window=WINDOWS["all"], states=None, name="", labels={}, archived=False, layout="cards")


def test_without_filters_the_query_has_no_condition() -> None:
    assert _ALL.job_filter(NOW) == JobFilter()
    assert _ALL.everything


def test_every_filter_is_a_condition() -> None:
    choice = replace(
        _ALL,
        window=WINDOWS["24 h"],
        states=frozenset({"failed"}),
        name="resize",
        labels={"team": "web"},
        archived=True,
    )
    assert choice.job_filter(NOW) == JobFilter(
        states=frozenset({"failed"}),
        labels={"team": "web"},
        name_contains="resize",
        submitted_after=NOW - timedelta(hours=24),
        archived=True,
    )


@pytest.mark.parametrize(
    "choice",
    [
        replace(_ALL, states=frozenset({"failed"})),
        replace(_ALL, name="resize"),
        replace(_ALL, labels={"team": "web"}),
    ],
)
def test_a_filter_other_than_the_age_hides_jobs(choice: Choice) -> None:
    assert not choice.everything


def test_the_age_alone_does_not_count_as_a_filter() -> None:
    assert replace(_ALL, window=WINDOWS["1 h"]).everything


def test_a_window_is_at_most_a_few_hundred_bars_wide() -> None:
    widths = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
    bars = [window.length / widths[window.span] for window in WINDOWS.values() if window.length is not None]
    assert bars == [60, 24, 168, 30]
