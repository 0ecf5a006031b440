"""Delays between attempts, as `@app.retry` sets them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from local_host.app.retries import BadRetryPolicy, read_policy

FIXED = {"strategy": "fixed_delay", "max_retry_count": "2", "delay_interval": "00:00:10"}
EXPONENTIAL = {
    "strategy": "exponential_backoff",
    "max_retry_count": "-1",
    "minimum_interval": "00:00:01",
    "maximum_interval": "00:01:00",
}


def seconds(raw: Mapping[str, str], failures: int) -> float | None:
    delay = read_policy(raw).delay(failures)
    return None if delay is None else delay / timedelta(seconds=1)


def test_a_fixed_delay_ends_after_its_last_retry() -> None:
    assert [seconds(FIXED, n) for n in (1, 2, 3)] == [10, 10, None]


def test_an_exponential_delay_doubles_up_to_its_maximum_without_end() -> None:
    assert [seconds(EXPONENTIAL, n) for n in (1, 2, 3, 6, 7, 10_000)] == [1, 2, 4, 32, 60, 60]


@pytest.mark.parametrize(
    "intervals",
    [
        {"strategy": "fixed_delay", "delay_interval": "00:02:00"},
        {"strategy": "exponential_backoff", "minimum_interval": "00:02:00", "maximum_interval": "10675199.00:00:00"},
        {"strategy": "exponential_backoff", "minimum_interval": "00:00:00", "maximum_interval": "10675199.00:00:00"},
    ],
)
def test_no_number_of_failures_is_too_large(intervals: dict[str, str]) -> None:
    policy = read_policy({**intervals, "max_retry_count": "-1"})
    for failures in (41, 45, 10_000):
        assert policy.delay(failures) == (policy.delay_max if policy.first_delay else timedelta())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"max_retry_count": "many"}, r"max_retry_count of the retry policy must be a whole number \(got 'many'\)"),
        ({"strategy": "x"}, r"retry strategy must be fixed_delay or exponential_backoff \(got 'x'\)"),
        ({"delay_interval": "5"}, r"delay_interval of the retry policy: '5' is not a time span"),
    ],
)
def test_an_invalid_policy_names_the_value(change: dict[str, str], text: str) -> None:
    with pytest.raises(BadRetryPolicy, match=text):
        read_policy({**FIXED, **change})
