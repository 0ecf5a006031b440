"""Whether to retry a failed or refused attempt, and when."""

from __future__ import annotations

from mayfly.jobs.job import Attempt, Job
from mayfly.jobs.spec import RetryPolicy

REFUSALS_MAX = 5
"""Consecutive refusals of the kind `retry` before the job fails. A new role assignment takes effect within them."""


def may_retry(job: Job, attempt: Attempt) -> bool:
    """Say whether the job's policy allows another attempt after this failed one.

    A job that runs at most once is retried only if its work cannot have begun. An image that may not contain a worker
    makes no claim, so its work may have begun as soon as its container was requested.
    """
    policy = job.spec.retry
    if job.failures >= policy.max_attempts:
        return False
    begun = attempt.claim is not None or job.spec.judged_by_exit_code
    if job.spec.at_most_once and (begun or attempt.exit_seen):
        return False
    if policy.on_exit_codes is None and policy.on_errors is None:
        return True
    by_code = policy.on_exit_codes is not None and attempt.exit_code in policy.on_exit_codes
    by_error = policy.on_errors is not None and attempt.error in policy.on_errors
    return by_code or by_error


def backoff_s(policy: RetryPolicy, failures: int) -> float:
    """Return the seconds to wait after the n-th failure.

    >>> policy = RetryPolicy(backoff_s=10, backoff_factor=2, backoff_max_s=60)
    >>> [backoff_s(policy, n) for n in (1, 2, 3, 4, 5)]
    [10.0, 20.0, 40.0, 60.0, 60.0]
    """
    return min(policy.backoff_s * policy.backoff_factor ** min(failures - 1, 64), policy.backoff_max_s)


def refusal_backoff_s(refusals: int) -> float:
    """Return the seconds to wait after the n-th consecutive refusal.

    Source: support article on `ContainerGroupTransitioning`: wait at least 10 s between operations.

    >>> [refusal_backoff_s(n) for n in (1, 2, 3)]
    [10.0, 20.0, 40.0]
    """
    return min(10.0 * 2.0 ** max(refusals - 1, 0), 300.0)


def hold_backoff_s(waits: int) -> float:
    """Return the seconds to wait after the n-th consecutive refusal over a quota, if the platform gives no delay.

    Each attempt costs a create, and a region allows 300 creates an hour.

    >>> [hold_backoff_s(n) for n in (1, 2, 3, 4, 5, 6)]
    [60.0, 120.0, 240.0, 480.0, 900.0, 900.0]
    """
    return min(60.0 * 2.0 ** max(waits - 1, 0), 900.0)
