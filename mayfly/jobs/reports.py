"""How a worker's report is judged: the one place that decides which worker may report for an attempt (I3, I4).

| verdict | answer | the worker |
|---|---|---|
| accept | 202 | continues |
| seen | 200 | continues: the same report was accepted before |
| claimed_by_another | 409 | stops without doing the work |
| not_claimed | 409 | must claim first |
| attempt_over | 410 | stops: its reports no longer change anything |
"""

from __future__ import annotations

from typing import Literal

from mayfly.jobs.commands import ClaimAttempt, Report, ReportKind
from mayfly.jobs.events import WorkerProgressed
from mayfly.jobs.job import Job

PROGRESS_EVENTS_MAX = 1_000
"""Per attempt. Later ones are answered as `seen`, so that a chatty worker cannot bloat the log."""

Verdict = Literal["accept", "seen", "claimed_by_another", "not_claimed", "attempt_over"]


def kind_of(report: Report) -> ReportKind:
    """Return the report's name on the wire."""
    if isinstance(report, ClaimAttempt):
        return "started"
    return "progress" if isinstance(report.body, WorkerProgressed) else "finished"


def judge(job: Job, report: Report) -> Verdict:
    """Judge a report against the job as it is now."""
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
    if isinstance(report.body, WorkerProgressed):
        known = attempt.progress is not None and report.body.sequence <= attempt.progress.sequence
        return "seen" if known or attempt.progress_count >= PROGRESS_EVENTS_MAX else "accept"
    return "accept"
