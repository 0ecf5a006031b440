"""When a timer is due, by the rules of NCRONTAB."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_host.app.schedules import BadSchedule, parse_schedule


def next_times(text: str, start: str, count: int = 3) -> list[str]:
    schedule = parse_schedule(text)
    when = datetime.fromisoformat(start).replace(tzinfo=UTC)
    found = []
    for _ in range(count):
        following = schedule.next_after(when)
        assert following is not None
        when = following
        found.append(when.strftime("%m-%d %H:%M:%S"))
    return found


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        ("0 */5 * * * *", "2026-01-01T00:00:00", ["01-01 00:05:00", "01-01 00:10:00", "01-01 00:15:00"]),
        ("*/20 * * * * *", "2026-01-01T00:00:41.5", ["01-01 00:01:00", "01-01 00:01:20", "01-01 00:01:40"]),
        ("0 30 9-11/2 * * *", "2026-01-01T09:30:00", ["01-01 11:30:00", "01-02 09:30:00", "01-02 11:30:00"]),
        ("0 0 0 1,15 * *", "2026-01-01T00:00:00", ["01-15 00:00:00", "02-01 00:00:00", "02-15 00:00:00"]),
        ("0 0 9 * * MON-FRI", "2026-01-02T09:00:00", ["01-05 09:00:00", "01-06 09:00:00", "01-07 09:00:00"]),
        ("0 0 0 29 Feb *", "2026-01-01T00:00:00", ["02-29 00:00:00", "02-29 00:00:00", "02-29 00:00:00"]),
        ("0 0 12 13 * Friday", "2026-01-01T00:00:00", ["02-13 12:00:00", "03-13 12:00:00", "11-13 12:00:00"]),
        ("*/10 * * * *", "2026-01-01T23:55:00", ["01-02 00:00:00", "01-02 00:10:00", "01-02 00:20:00"]),
        ("30 5/20 * * * *", "2026-01-01T00:00:00", ["01-01 00:05:30", "01-01 00:25:30", "01-01 00:45:30"]),
        ("01:30:00", "2026-01-01T00:00:00", ["01-01 01:30:00", "01-01 03:00:00", "01-01 04:30:00"]),
    ],
)
def test_schedules_fall_due_as_ncrontab_says(text: str, start: str, expected: list[str]) -> None:
    assert next_times(text, start) == expected


@pytest.mark.parametrize(
    "text", ["", "* * *", "60 * * * * *", "0 0 24 * * *", "0 0 0 0 * *", "0 0 0 * Foo *", "*/0 * * * * *", "00:00:00"]
)
def test_an_invalid_schedule_is_rejected(text: str) -> None:
    with pytest.raises(BadSchedule):
        parse_schedule(text)


def test_a_date_that_never_comes_is_never_due() -> None:
    assert parse_schedule("0 0 0 30 2 *").next_after(datetime(2026, 1, 1, tzinfo=UTC)) is None


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2060, 1, 1)))  # noqa: DTZ001
def test_the_next_time_is_later_and_on_schedule(when: datetime) -> None:
    start = when.replace(tzinfo=UTC)
    following = parse_schedule("15 */7 3-20 * * 1-5").next_after(start)
    assert following is not None
    assert following > start
    assert (following.second, following.minute % 7, following.isoweekday() < 6) == (15, 0, True)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("0 0 20-4 * * *", "0 0 4-20 * * *"),
        ("0 0 0 * dec-OCT *", "0 0 0 * 10-12 *"),
        ("0 0 0 * * sunday", "0 0 0 * * 0"),
        ("0 0 0 * * Wedn", "0 0 0 * * 3"),
    ],
)
def test_backward_ranges_and_names_are_ncrontabs(text: str, same: str) -> None:
    assert parse_schedule(text).cron == parse_schedule(same).cron


@pytest.mark.parametrize(
    "text", ["0 0 0 L * *", "0 0 0 ? * *", "0 0 0 * * 7", "0 0 0 * * 5#2", "0 0 0 * * MO", "@daily"]
)
def test_a_schedule_that_only_croniter_accepts_is_rejected(text: str) -> None:
    with pytest.raises(BadSchedule, match=re.escape(f"schedule '{text}'")):
        parse_schedule(text)
