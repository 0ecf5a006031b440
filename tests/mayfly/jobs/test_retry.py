"""Backoffs: they never shrink, and they stay within their limits, however often an attempt fails."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mayfly.jobs.retry import backoff_s, hold_backoff_s, refusal_backoff_s
from mayfly.jobs.spec import RetryPolicy

_POLICIES = st.builds(
    RetryPolicy,
    backoff_s=st.floats(0, 86_400),
    backoff_factor=st.floats(1, 10),
    backoff_max_s=st.floats(0, 86_400),
)


@given(_POLICIES)
def test_the_policys_backoff_grows_up_to_its_maximum(policy: RetryPolicy) -> None:
    waits = [backoff_s(policy, failures) for failures in (1, 2, 3, 10, 20, 1_000)]
    assert waits[0] == min(policy.backoff_s, policy.backoff_max_s)
    assert all(earlier <= later <= policy.backoff_max_s for earlier, later in pairwise(waits))


def test_the_backoffs_after_refusals_grow_up_to_minutes() -> None:
    for wait_s, first_s, most_s in ((refusal_backoff_s, 10, 300), (hold_backoff_s, 60, 900)):
        waits = [wait_s(number) for number in range(40)]
        assert waits == sorted(waits)
        assert (waits[0], waits[-1]) == (first_s, most_s)
