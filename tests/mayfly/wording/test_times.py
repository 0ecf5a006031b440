"""Durations have at most two units, and times of day are those of this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from mayfly.wording.times import clock, span


@pytest.fixture
def _in_india(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_in_india")
def test_the_time_of_day_is_local_to_the_millisecond() -> None:
    assert clock(datetime(2026, 1, 31, 23, 0, 5, 678_999, tzinfo=UTC)) == "04:30:05.678"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0.0 s"),
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (60.4, "1 min"),
        (119.6, "2 min"),
        (3_599.4, "59 min 59 s"),
        (3_599.6, "1 h"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d"),
        (90_000 - 1, "1 d"),
        (8 * 86_400 + 3_600, "8 d 1 h"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    assert span(seconds) == text
