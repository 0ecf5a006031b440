"""Rates: a request at the earliest allowed time never exceeds a window, and an earlier one would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mayfly.admission.rates import DOCUMENTED, Rate, free_now, nth_time, pruned

_RATES = st.lists(
    st.builds(Rate, window_s=st.integers(1, 50).map(float), most=st.integers(1, 5)), min_size=1, max_size=3
)
_TIMES = st.lists(st.integers(0, 100).map(float), max_size=12).map(sorted)


@given(_TIMES, _RATES)
def test_the_next_request_is_allowed_at_its_time_and_not_before(times: list[float], rates: list[Rate]) -> None:
    now = times[-1] if times else 0.0
    at = nth_time(times, rates, now, 0)
    free = free_now(times, rates, at)
    assert free is not None
    assert free >= 1
    assert at == now or free_now(times, rates, at - 0.5) == 0


@given(_TIMES, _RATES, st.integers(0, 6))
def test_requests_ahead_take_their_turns_first(times: list[float], rates: list[Rate], ahead: int) -> None:
    now = times[-1] if times else 0.0
    taken = list(times)
    for _ in range(ahead):
        taken.append(nth_time(taken, rates, now, 0))
    assert nth_time(times, rates, now, ahead) == nth_time(taken, rates, now, 0)


@given(_TIMES, _RATES)
def test_pruning_changes_no_answer(times: list[float], rates: list[Rate]) -> None:
    now = 100.0
    assert free_now(pruned(times, rates, now), rates, now) == free_now(times, rates, now)


def test_without_rates_any_number_is_allowed() -> None:
    assert free_now([0.0] * 1_000, (), 0.0) is None
    assert nth_time([0.0] * 1_000, (), 0.0, 5) == 0.0


def test_the_documented_rates_leave_a_margin() -> None:
    assert [(rate.window_s, rate.most) for rate in DOCUMENTED] == [(310.0, 100), (3_610.0, 300)]
