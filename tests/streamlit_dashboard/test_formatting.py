"""Times, sizes and money in words, in the viewer's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from streamlit_dashboard import formatting
from streamlit_dashboard.formatting import (
    ago,
    clock_html,
    date_and_time,
    lasting,
    moment_html,
    money,
    size,
    viewer_zone,
)

NOW = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)


def test_without_a_browser_the_zone_is_utc() -> None:
    assert viewer_zone().utcoffset(NOW) == timedelta(0)


def test_a_moment_has_the_viewers_time_with_utc_on_hover(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting, "viewer_zone", lambda: ZoneInfo("Asia/Tokyo"))
    html = moment_html(NOW)
    assert ">1 Feb 2026, 08:30:00</time>" in html
    assert 'title="2026-01-31 23:30:00.000000 UTC"' in html
    assert 'datetime="2026-01-31T23:30:00+00:00"' in html
    assert ">08:30:00</time>" in clock_html(NOW)


def test_without_a_time_there_is_no_html() -> None:
    assert (moment_html(None), clock_html(None)) == ("", "")


def test_the_text_of_a_moment_is_escaped() -> None:
    assert "<b>" not in moment_html(NOW, "<b>")


def test_a_change_of_summer_time_moves_the_clock() -> None:
    zone = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    assert date_and_time(before, zone) == "29 Mar 2026, 01:59:00"
    assert date_and_time(before + timedelta(minutes=1), zone) == "29 Mar 2026, 03:00:00"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "just now"), (59, "just now"), (60, "1 min ago"), (3_599, "59 min ago"), (3_600, "1 h ago"),
     (86_399, "23 h ago"), (86_400, "1 d ago")],
)  # fmt: skip
def test_an_age_is_in_whole_units_that_have_passed(seconds: float, text: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.0004, "0 ms"), (0.949, "949 ms"), (0.95, "0.9 s"), (61, "1 min 1 s")])
def test_a_short_duration_is_in_milliseconds(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(999, "999 B"), (1_000, "1 kB"), (999_999, "1000 kB"), (1e6, "1.0 MB"), (9.96e6, "10.0 MB"), (1e7, "10 MB"),
     (2.5e12, "2500 GB")],
)  # fmt: skip
def test_a_size_has_two_digits_at_least(count: float, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("usd", "text"), [(0.0001, "$0.0001"), (0.99994, "$0.9999"), (1, "$1.00"), (1e6, "$1,000,000.00")]
)
def test_less_than_a_dollar_has_four_decimals(usd: float, text: str) -> None:
    assert money(usd) == text
