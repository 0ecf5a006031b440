"""Clearing the board: running jobs are canceled, all are archived, and nothing is erased."""

from __future__ import annotations

import pytest

from mayfly.jobs.job import Job
from mayfly.use_cases import clear as clear_module
from mayfly.use_cases.cancel import cancel
from mayfly.use_cases.clear import Cleared, clear
from mayfly.views.job_views import JobFilter
from tests.mayfly.composed import STARTED, SUCCEEDED, Composed


def _cancel(composed: Composed, job_id: str, reason: str | None = None) -> Job:
    return composed.runner.run(cancel(composed.mayfly, composed.orchestrators, job_id, source="cli", reason=reason))


def _clear(composed: Composed, cursor: str | None = None, *, projected: bool = True) -> Cleared:
    if projected:
        composed.project()
    return composed.runner.run(clear(composed.mayfly, composed.orchestrators, source="dashboard", cursor=cursor))


def test_a_clear_cancels_what_runs_archives_what_ended_and_erases_nothing(composed: Composed) -> None:
    ended, running, queued = composed.submit(), composed.submit(), composed.submit()
    for job_id in (ended, running):
        composed.begin(job_id)
        composed.report(job_id, STARTED)
    composed.report(ended, SUCCEEDED)
    assert _clear(composed) == Cleared(canceled=2, archived=3)
    assert {composed.job(job_id).state for job_id in (running, queued)} == {"canceled"}
    assert composed.job(ended).state == "succeeded"
    composed.project()
    page = composed.runner.run(composed.mayfly.views.page(JobFilter(), limit=10))
    assert page.jobs == []
    everything = composed.runner.run(composed.mayfly.views.page(JobFilter(archived=True), limit=10))
    assert len(everything.jobs) == 3


def test_a_second_clear_finds_nothing_to_do(composed: Composed) -> None:
    composed.submit()
    assert _clear(composed) == Cleared(canceled=1, archived=1)
    before = composed.whole_log()
    assert _clear(composed) == Cleared(canceled=0, archived=0)
    assert composed.whole_log() == before


def test_a_clear_on_lagging_views_follows_the_log(composed: Composed) -> None:
    job_id = composed.submit()
    composed.project()
    composed.begin(job_id)
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    cleared = composed.runner.run(clear(composed.mayfly, composed.orchestrators, source="dashboard"))
    assert cleared == Cleared(canceled=0, archived=1)
    assert composed.job(job_id).state == "succeeded"


def test_a_clear_goes_step_by_step_through_every_job(composed: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clear_module, "CLEAR_STEP_S", 0)
    monkeypatch.setattr(clear_module, "_CLEAR_BATCH", 5)
    for _ in range(12):
        composed.submit()
    steps = [_clear(composed)]
    while steps[-1].cursor is not None:
        # The views may follow in between or not: the cursor is where the next step continues.
        steps.append(_clear(composed, steps[-1].cursor, projected=len(steps) == 1))
    assert [step.canceled for step in steps] == [step.archived for step in steps] == [5, 5, 2]


def test_a_fast_clear_is_one_step(composed: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clear_module, "_CLEAR_BATCH", 5)
    for _ in range(12):
        composed.submit()
    assert _clear(composed) == Cleared(canceled=12, archived=12)


def test_an_interrupted_clear_is_finished_by_the_next(composed: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clear_module, "CLEAR_STEP_S", 0)
    monkeypatch.setattr(clear_module, "_CLEAR_BATCH", 5)
    for _ in range(9):
        composed.submit()
    assert _clear(composed).cursor is not None
    assert _clear(composed) == Cleared(canceled=4, archived=4)
