"""The bars of the board: positions, heights and labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlit_dashboard.bar_chart import Bar, Part, bar_chart, nice_top, ticks

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _bar(hours: float, *counts: int) -> Bar:
    words = ("succeeded", "failed")
    parts = [Part(word=word, color=f"#{word}", count=count) for word, count in zip(words, counts, strict=False)]
    return Bar(begun_at=NOON + hours * HOUR, parts=parts)


def _chart(bars: Sequence[Bar], *, whole: timedelta = 4 * HOUR, zone: tzinfo = UTC, width: timedelta = HOUR) -> str:
    return bar_chart(bars, width=width, since=NOON, until=NOON + whole, zone=zone, noun="jobs", label='Jobs "now": 3')


def test_a_bar_is_at_its_time_and_as_high_as_its_share_of_the_top() -> None:
    html = _chart([_bar(1, 2), _bar(3, 1, 1)])
    assert html.count("<i ") == 2
    assert "left:25.000%;width:25.000%;height:100.00%" in html
    assert "left:75.000%" in html


def test_the_parts_of_a_bar_are_stacked_from_the_bottom() -> None:
    html = _chart([_bar(0, 1, 3)])
    assert "linear-gradient(0deg,#succeeded 0.00% 25.00%,#failed 25.00% 100.00%)" in html
    assert "4 jobs (3 failed, 1 succeeded)" in html


def test_a_bar_that_ended_before_the_period_is_left_out_and_one_that_reaches_into_it_is_not() -> None:
    assert _chart([_bar(-1, 5), _bar(-0.5, 1)]).count("<i ") == 1


def test_times_are_those_of_the_viewer() -> None:
    html = _chart([_bar(0, 1)], zone=ZoneInfo("Asia/Tokyo"))
    assert ">21:00</span>" in html
    assert 'title="Sat 31 Jan, 21:00: 1 jobs' in html
    assert 'title="31 Jan: 1 jobs' in _chart([_bar(0, 1)], width=timedelta(days=1))


def test_the_label_is_escaped() -> None:
    assert 'aria-label="Jobs &quot;now&quot;: 3"' in _chart([])


@given(st.integers(0, 10**9))
def test_the_top_is_even_holds_the_highest_bar_and_wastes_less_than_half(most: int) -> None:
    top = nice_top(most)
    assert top >= most
    assert top % 2 == 0
    assert top <= max(2, 2 * most)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York"])
@pytest.mark.parametrize("step", [timedelta(minutes=10), timedelta(hours=3), timedelta(days=1)])
def test_ticks_are_within_the_period_and_a_step_apart(zone: str, step: timedelta) -> None:
    since = (NOON + timedelta(minutes=7)).astimezone(ZoneInfo(zone))
    until = since + 5 * step
    found = ticks(since, until, step)
    assert len(found) in (5, 6)
    assert since <= found[0] <= found[-1] <= until
    assert {later - earlier for earlier, later in pairwise(found)} == {step}
    assert (
        found[0] - found[0].replace(hour=0, minute=0) == (found[0] - found[0].replace(hour=0, minute=0)) // step * step
    )


@pytest.mark.parametrize("days", [0.01, 0.3, 1, 7, 30, 400, 4_000])
def test_a_chart_of_any_length_has_few_labels(days: float) -> None:
    html = _chart([], whole=timedelta(days=days))
    assert 1 <= len(re.findall(r"<span ", html)) <= 11
