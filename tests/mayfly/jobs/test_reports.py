"""`judge`: which reports of which worker count, in each situation of an attempt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.jobs.reports import PROGRESS_EVENTS_MAX, Verdict, judge, kind_of
from tests.mayfly.jobs.samples import CLAIM, OTHER_CLAIM, T0, event, opening

_CLAIMED = c.ClaimAttempt(attempt=1, claim=CLAIM)
_PROGRESS = c.ReportWork(attempt=1, claim=CLAIM, body=e.WorkerProgressed(sequence=2, fraction=None, message="working"))
_SUCCESS = c.ReportWork(attempt=1, claim=CLAIM, body=e.WorkerSucceeded(result=1, exit_code=0, output_tail=""))

_REQUESTED = e.ContainerRequested(group="g", place="local", image=None, cpu=1, memory_gb=1, start_deadline=T0)
_STARTED = e.WorkerStarted(claim=CLAIM, run_deadline=T0)
_SITUATIONS: dict[str, tuple[e.Body, ...]] = {
    "queued": (),
    "starting": (_REQUESTED,),
    "claimed": (_REQUESTED, _STARTED),
    "progressed": (_REQUESTED, _STARTED, _PROGRESS.body),
    "reported": (_REQUESTED, _STARTED, _SUCCESS.body, e.JobSucceeded()),
    "timed out": (_REQUESTED, _STARTED, e.AttemptTimedOut(deadline="run"), e.JobTimedOut(deadline="run")),
    "never claimed": (_REQUESTED, e.AttemptTimedOut(deadline="start"), e.JobTimedOut(deadline="start")),
}


def _job(situation: str) -> Job:
    bodies = enumerate(_SITUATIONS[situation], 2)
    job = fold([opening(), *(event(body, position, attempt=1) for position, body in bodies)])
    assert job is not None
    return job


@pytest.mark.parametrize(
    ("situation", "claimed", "progress", "success"),
    [
        ("queued", "attempt_over", "attempt_over", "attempt_over"),
        ("starting", "accept", "not_claimed", "not_claimed"),
        ("claimed", "seen", "accept", "accept"),
        ("progressed", "seen", "seen", "accept"),
        ("reported", "seen", "seen", "seen"),
        ("timed out", "attempt_over", "attempt_over", "attempt_over"),
        ("never claimed", "attempt_over", "attempt_over", "attempt_over"),
    ],
)
def test_each_report_is_judged_by_the_state_of_its_attempt(
    situation: str, claimed: Verdict, progress: Verdict, success: Verdict
) -> None:
    job = _job(situation)
    assert [judge(job, report) for report in (_CLAIMED, _PROGRESS, _SUCCESS)] == [claimed, progress, success]


@pytest.mark.parametrize(
    ("situation", "verdict"),
    [("claimed", "claimed_by_another"), ("reported", "attempt_over"), ("timed out", "attempt_over")],
)
@pytest.mark.parametrize("report", [_CLAIMED, _PROGRESS, _SUCCESS], ids=kind_of)
def test_another_worker_cannot_report_for_a_claimed_attempt(situation: str, verdict: Verdict, report: c.Report) -> None:
    """I4."""
    assert judge(_job(situation), replace(report, claim=OTHER_CLAIM)) == verdict


def test_progress_beyond_the_limit_is_acknowledged_but_not_recorded() -> None:
    job = _job("claimed")
    (attempt,) = job.attempts
    full = replace(job, attempts=(replace(attempt, progress_count=PROGRESS_EVENTS_MAX),))
    assert judge(full, _PROGRESS) == "seen"
