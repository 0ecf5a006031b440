"""Canceling, archiving and clearing: the outcome is final, the container is deleted, and nothing is erased."""

from __future__ import annotations

import pytest

from mayfly.errors import NotFound
from mayfly.jobs import events as e
from mayfly.jobs.job import Job
from mayfly.use_cases import clear as clear_module
from mayfly.use_cases.archive import archive
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


def test_a_cancel_ends_the_job_at_once_and_wakes_its_orchestrator(composed: Composed) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    job = _cancel(composed, job_id, "no longer needed")
    assert (job.state, job.settled) == ("canceled", False)
    assert composed.orchestrators.woken == [(job_id, "cancel-requested")]
    requested = composed.events(job_id)[2]
    assert requested.body == e.CancelRequested(reason="no longer needed")
    assert requested.source == "cli"
    assert composed.end(job_id).activity == "done"
    assert composed.runtime.statuses == {}


def test_a_second_cancel_of_a_settled_job_writes_nothing_and_wakes_no_orchestrator(composed: Composed) -> None:
    job_id = composed.submit()
    _cancel(composed, job_id)
    before = composed.events(job_id)
    assert _cancel(composed, job_id).state == "canceled"
    assert composed.events(job_id) == before
    assert len(composed.orchestrators.woken) == 1


def test_a_second_cancel_wakes_again_while_the_container_exists(composed: Composed) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    _cancel(composed, job_id)
    before = composed.events(job_id)
    _cancel(composed, job_id)
    assert composed.events(job_id) == before
    assert len(composed.orchestrators.woken) == 2


def test_a_cancel_after_the_end_changes_nothing(composed: Composed) -> None:
    """I3."""
    job_id = composed.submit()
    composed.begin(job_id)
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    assert _cancel(composed, job_id).state == "succeeded"
    assert "CancelRequested" not in composed.types(job_id)


def test_an_unavailable_durable_host_fails_no_cancel(composed: Composed) -> None:
    job_id = composed.submit()
    composed.orchestrators.silent = True
    assert _cancel(composed, job_id).state == "canceled"


def test_an_unknown_job_cannot_be_canceled_or_archived(composed: Composed) -> None:
    with pytest.raises(NotFound, match="list the jobs with GET /api/jobs"):
        _cancel(composed, "ada-abcdefghij")
    with pytest.raises(NotFound):
        composed.runner.run(archive(composed.mayfly, "ada-abcdefghij", source="cli"))


def test_only_a_finished_job_is_archived_and_only_once(composed: Composed) -> None:
    job_id = composed.submit()
    assert not composed.runner.run(archive(composed.mayfly, job_id, source="cli")).archived
    _cancel(composed, job_id)
    for _ in range(2):
        assert composed.runner.run(archive(composed.mayfly, job_id, source="cli")).archived
    assert composed.types(job_id).count("JobArchived") == 1


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
