"""Times in the protocol and in the task hub."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from local_host.durable.history import SCHEDULING, TYPE_NAMES, from_micros, micros, parse_stamp, stamp


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_a_time_survives_text_and_microseconds(when: datetime) -> None:
    assert parse_stamp(stamp(when)) == when
    assert from_micros(micros(when)) == when


def test_a_time_without_a_zone_is_utc() -> None:
    assert parse_stamp("2026-01-01T00:00:00") == datetime(2026, 1, 1, tzinfo=UTC)
    assert parse_stamp("2026-01-01T02:00:00+02:00") == datetime(2026, 1, 1, tzinfo=UTC)


def test_every_scheduling_type_has_a_name() -> None:
    assert set(TYPE_NAMES) >= SCHEDULING
