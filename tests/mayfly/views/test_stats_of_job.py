"""The contribution of one job to the stats: attention, and the lengths of its phases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from mayfly.clock import stamp
from mayfly.jobs import commands as c
from mayfly.views.stats import Span
from mayfly.views.stats_of_job import WIDTHS, attempts_of, attention_of, begun_at
from tests.mayfly.jobs.histories import History, histories
from tests.mayfly.jobs.lived import FAILED_THEN_SUCCEEDED, lived
from tests.mayfly.jobs.samples import CLAIM, T0

_CANCELED = lived(
    c.RequestContainer(place="local"), c.ClaimAttempt(attempt=1, claim=CLAIM), c.RequestCancel(source="http")
)


@pytest.mark.parametrize(("span", "hour", "minute"), [("minute", 23, 59), ("hour", 23, 0), ("day", 0, 0)])
def test_the_beginning_of_a_stamp_is_the_beginning_of_its_span(span: Span, hour: int, minute: int) -> None:
    bucket = stamp(datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))[: WIDTHS[span]]
    assert begun_at(bucket, span) == datetime(2026, 12, 31, hour, minute, tzinfo=UTC)


def test_a_held_job_needs_attention_since_it_is_held() -> None:
    held = lived(c.HoldJob(reason="100 of 100 in use", until=T0 + timedelta(hours=1)))
    assert attention_of(held) == {"held": stamp(T0 + timedelta(seconds=10))}
    assert attention_of(lived()) == {}


def test_a_container_that_outlives_its_attempt_needs_attention_since_the_first_such_end() -> None:
    """I5."""
    ended_at = T0 + timedelta(seconds=30)
    assert attention_of(_CANCELED) == {"lingering": stamp(ended_at)}
    (attempt,) = _CANCELED.attempts
    earlier = replace(attempt, number=2, ended_at=ended_at - timedelta(seconds=5))
    assert attention_of(replace(_CANCELED, attempts=(attempt, earlier))) == {
        "lingering": stamp(ended_at - timedelta(seconds=5))
    }


def test_the_attempts_of_a_settled_job_have_the_length_of_each_phase() -> None:
    first, second = attempts_of(FAILED_THEN_SUCCEEDED)
    assert first[:3] == (1, stamp(T0 + timedelta(seconds=30)), "failed")
    assert list(first[3].items()) == [
        ("queued", 10), ("starting", 10), ("running", 10), ("reporting", 10), ("deleting", 10)
    ]  # fmt: skip
    assert second[2] == "succeeded"


def test_a_job_whose_container_still_exists_contributes_no_attempt() -> None:
    assert attempts_of(_CANCELED) == []


@given(histories())
def test_a_settled_job_contributes_each_of_its_attempts_once(history: History) -> None:
    job = history.last
    numbers = [number for number, *_ in attempts_of(job)]
    assert numbers == ([attempt.number for attempt in job.attempts] if job.settled else [])
