"""Times in the protocol and in the task hub."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from local_host.durable.history import EventType, from_micros, micros, parse_stamp, stamp, type_name


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_a_time_survives_text_and_microseconds(when: datetime) -> None:
    assert parse_stamp(stamp(when)) == when
    assert from_micros(micros(when)) == when


def test_a_time_without_a_zone_is_utc() -> None:
    assert parse_stamp("2026-01-01T00:00:00") == datetime(2026, 1, 1, tzinfo=UTC)
    assert parse_stamp("2026-01-01T02:00:00+02:00") == datetime(2026, 1, 1, tzinfo=UTC)


def test_types_have_the_names_of_the_extension() -> None:
    assert type_name(EventType.SUB_ORCHESTRATION_INSTANCE_CREATED) == "SubOrchestrationInstanceCreated"
    assert type_name(12) == "OrchestratorStarted"
