"""Stamps sort in the order of time, and the machine's clock is in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mayfly.clock import SystemClock, stamp

_TIMES = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2999, 1, 1),  # noqa: DTZ001
    timezones=st.timezones(),
)


@given(_TIMES, _TIMES)
def test_stamps_sort_in_the_order_of_time(one: datetime, other: datetime) -> None:
    ordered = one.astimezone(UTC) < other.astimezone(UTC)
    assert (stamp(one) < stamp(other)) == ordered


@given(_TIMES)
def test_a_stamp_reads_back_as_the_same_moment_and_has_a_fixed_length(at: datetime) -> None:
    assert datetime.fromisoformat(stamp(at)) == at.astimezone(UTC)
    assert len(stamp(at)) == 32


def test_the_machines_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)
