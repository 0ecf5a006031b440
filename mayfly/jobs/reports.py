"""How a worker's report is received: the one place that says who may speak for an attempt (I3, I4).

| verdict | answer | the worker |
|---|---|---|
| accept | 202 | goes on |
| seen | 200 | goes on: the same was accepted before |
| claimed_by_another | 409 | stops without doing the work |
| not_claimed | 409 | must claim first |
| attempt_over | 410 | stops: nothing that it says changes anything |
"""

from __future__ import annotations

from typing import Literal

from mayfly.jobs.commands import ClaimAttempt, Report, ReportKind, ReportProgress
from mayfly.jobs.job import Job

PROGRESS_EVENTS_MAX = 1_000
"""Of one attempt; later ones are answered as seen, so that a chatty worker cannot swell the log."""

Verdict = Literal["accept", "seen", "claimed_by_another", "not_claimed", "attempt_over"]


def kind_of(report: Report) -> ReportKind:
    """Return the report's name on the wire."""
    if isinstance(report, ClaimAttempt):
        return "started"
    return "progress" if isinstance(report, ReportProgress) else "finished"


def judge(job: Job, report: Report) -> Verdict:
    """Say how a report stands against the job as it is now."""
    attempt = job.attempt_numbered(report.attempt)
    if attempt is None:
        return "attempt_over"
    if attempt.claim is None:
        if attempt.outcome is not None:
            return "attempt_over"
        return "accept" if isinstance(report, ClaimAttempt) else "not_claimed"
    if attempt.claim != report.claim:
        return "claimed_by_another" if attempt.outcome is None else "attempt_over"
    if attempt.outcome is not None:
        return "seen" if attempt.reported else "attempt_over"
    if isinstance(report, ClaimAttempt):
        return "seen"
    if isinstance(report, ReportProgress):
        known = attempt.progress is not None and report.body.sequence <= attempt.progress.sequence
        return "seen" if known or attempt.progress_count >= PROGRESS_EVENTS_MAX else "accept"
    return "accept"
