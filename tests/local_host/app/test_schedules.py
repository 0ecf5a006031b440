"""The small pure parts: clocks, schedules, routes, time spans, and the examples in the docstrings."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import local_host
from local_host.app.routes import BadRoute, compile_route
from local_host.app.schedules import BadSchedule, parse_schedule
from local_host.app.timespans import BadTimeSpan, parse_timespan
from local_host.clock import VirtualClock

MODULES = [module.name for module in pkgutil.iter_modules(local_host.__path__) if module.name != "__main__"]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_hold(name: str) -> None:
    module = importlib.import_module(f"local_host.{name}")
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


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
def test_what_is_no_schedule_is_refused(text: str) -> None:
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
    ("template", "path", "expected"),
    [
        ("jobs/{id}", "jobs/7", {"id": "7"}),
        ("jobs/{id}", "JOBS/7", {"id": "7"}),
        ("jobs/{id}", "jobs/7/8", None),
        ("jobs/{id}", "jobs", None),
        ("jobs/{id?}", "jobs", {}),
        ("jobs/{page=1}", "jobs", {"page": "1"}),
        ("{id:int}", "x", None),
        ("{id:int:min(5)}", "4", None),
        ("{id:length(2,3)}", "abc", {"id": "abc"}),
        ("{id:regex(^a[[bc]]$)}", "ac", {"id": "ac"}),
        ("{id:regex(^a[[bc]]$)}", "ad", None),
        ("{id:guid}", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", {"id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}),
        ("{*rest}", "a/b", {"rest": "a/b"}),
        ("{*rest}", "", {}),
        ("{name}.{ext}", "a.b.txt", {"name": "a", "ext": "b.txt"}),
        ("", "", {}),
        ("", "x", None),
    ],
)
def test_routes_match_as_templates_say(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert compile_route(template).match(path) == expected


@pytest.mark.parametrize("template", ["{*rest}/x", "{id:odd}", "{id", "a{b}{c"])
def test_routes_that_are_not_understood_are_refused(template: str) -> None:
    with pytest.raises(BadRoute):
        compile_route(template)


def test_time_spans_are_read_as_dotnet_writes_them() -> None:
    assert parse_timespan("3.00:00:00.5000000") == timedelta(days=3, milliseconds=500)
    for text in ("5", "24:00:00", "00:60:00", "x"):
        with pytest.raises(BadTimeSpan):
            parse_timespan(text)


def test_alarms_ring_in_order_each_at_its_own_time() -> None:
    clock = VirtualClock()
    start = clock.now()
    rung: list[tuple[str, timedelta]] = []
    for name, hours in (("b", 2), ("a", 1), ("c", 30)):
        clock.call_at(start + timedelta(hours=hours), lambda name=name: rung.append((name, clock.now() - start)))  # type: ignore[misc]
    off = clock.call_at(start + timedelta(hours=1), lambda: rung.append(("off", timedelta())))
    off.cancel()
    clock.advance(timedelta(hours=3))
    assert rung == [("a", timedelta(hours=1)), ("b", timedelta(hours=2))]
    assert clock.now() - start == timedelta(hours=3)
    assert clock.next_alarm() == start + timedelta(hours=30)
