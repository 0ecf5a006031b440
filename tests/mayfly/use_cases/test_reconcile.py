"""The reconciler: jobs without an orchestrator, and groups without a job that wants them (I1, I5)."""

from __future__ import annotations

from dataclasses import replace

from mayfly.jobs.events import ContainerFound
from mayfly.use_cases.reconcile import Reconciled, reconcile
from mayfly.views.job_views import JobFilter
from tests.mayfly.composed import STARTED, SUCCEEDED, Composed

_NOTHING = Reconciled(started=0, unknown_deleted=0, leaks_found=0)


def _reconcile(composed: Composed) -> Reconciled:
    composed.project()
    return composed.runner.run(reconcile(composed.mayfly, composed.orchestrators))


def _settled(composed: Composed) -> str:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    composed.end(job_id)
    return job_id


def test_a_job_without_an_orchestrator_gets_one(composed: Composed) -> None:
    composed.orchestrators.silent = True
    job_id = composed.submit()
    composed.orchestrators.silent = False
    composed.clock.advance(11)
    assert _reconcile(composed) == Reconciled(started=1, unknown_deleted=0, leaks_found=0)
    assert composed.orchestrators.started == [job_id]
    assert _reconcile(composed) == _NOTHING


def test_a_job_with_a_recent_event_is_left_to_the_next_pass(composed: Composed) -> None:
    composed.submit()
    composed.orchestrators.living.clear()
    composed.clock.advance(9.9)
    assert _reconcile(composed) == _NOTHING
    composed.clock.advance(0.1)
    assert _reconcile(composed).started == 1


def test_a_job_with_an_orchestrator_is_left_alone(composed: Composed) -> None:
    composed.submit()
    composed.clock.advance(3_600)
    assert _reconcile(composed) == _NOTHING


def test_a_settled_job_needs_no_orchestrator_even_if_the_view_lags(composed: Composed) -> None:
    job_id = composed.submit()
    composed.project()
    composed.begin(job_id)
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    composed.end(job_id)
    composed.orchestrators.living.clear()
    composed.clock.advance(60)
    found = composed.runner.run(reconcile(composed.mayfly, composed.orchestrators))
    assert found == _NOTHING


def test_a_finished_job_is_tracked_while_its_container_exists(composed: Composed) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    composed.orchestrators.living.clear()
    composed.clock.advance(60)
    assert _reconcile(composed).started == 1
    assert composed.orchestrators.started[-1] == job_id


def test_every_one_of_many_jobs_is_found(composed: Composed) -> None:
    for _ in range(1_203):
        composed.submit()
    composed.orchestrators.living.clear()
    composed.clock.advance(60)
    assert _reconcile(composed).started == 1_203


def test_a_group_of_an_unknown_job_is_deleted(composed: Composed) -> None:
    composed.runtime.add("eve-abcdefghij-1-local", job_id="eve-abcdefghij", attempt=1)
    assert _reconcile(composed).unknown_deleted == 1
    assert composed.runtime.deletes == ["eve-abcdefghij-1-local"]
    assert composed.whole_log() == []


def test_a_group_of_an_unknown_attempt_or_name_is_deleted(composed: Composed) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.runtime.add(f"{job_id}-2-local", job_id=job_id, attempt=2)
    composed.runtime.add(f"{job_id}-1-elsewhere", job_id=job_id, attempt=1)
    assert _reconcile(composed).unknown_deleted == 2
    assert set(composed.runtime.statuses) == {f"{job_id}-1-local"}


def test_an_expected_group_is_left_alone(composed: Composed) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    assert _reconcile(composed) == _NOTHING
    assert composed.runtime.deletes == []


def test_an_expected_group_in_trouble_is_polled_and_its_orchestrator_woken(composed: Composed) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    group = f"{job_id}-1-local"
    composed.runtime.listings[group] = replace(composed.runtime.listings[group], troubled=True)
    assert _reconcile(composed) == _NOTHING
    assert composed.orchestrators.woken == [], "the poll found no problem"
    composed.runtime.move(group, "exited", exit_code=1)
    assert _reconcile(composed) == _NOTHING
    assert composed.orchestrators.woken == [(job_id, "attempt-1-ended")]
    assert composed.job(job_id).state == "failed"


def test_a_group_that_reappeared_is_recorded_and_deleted_by_the_orchestrator(composed: Composed) -> None:
    job_id = _settled(composed)
    composed.orchestrators.living.clear()
    composed.runtime.add(f"{job_id}-1-local", job_id=job_id, attempt=1)
    assert _reconcile(composed).leaks_found == 1
    assert composed.events(job_id)[-1].body == ContainerFound(group=f"{job_id}-1-local")
    job = composed.job(job_id)
    assert (job.state, job.settled) == ("succeeded", False)
    composed.clock.advance(60)
    assert _reconcile(composed) == Reconciled(started=1, unknown_deleted=0, leaks_found=0)
    assert composed.begin(job_id).activity == "end_attempt"
    assert composed.end(job_id).activity == "done"
    assert composed.runtime.statuses == {}


def test_an_unavailable_platform_does_not_keep_orchestrators_from_starting(composed: Composed) -> None:
    composed.submit()
    composed.orchestrators.living.clear()
    composed.clock.advance(60)
    composed.runtime.unavailable = {"list"}
    assert _reconcile(composed).started == 1


def test_a_group_that_cannot_be_deleted_hides_no_other(composed: Composed) -> None:
    job_id = _settled(composed)
    composed.runtime.add("eve-abcdefghij-1-local", job_id="eve-abcdefghij", attempt=1)
    composed.runtime.add(f"{job_id}-1-local", job_id=job_id, attempt=1)
    composed.runtime.unavailable = {"delete"}
    assert _reconcile(composed) == Reconciled(started=0, unknown_deleted=0, leaks_found=1)


def test_lost_views_are_rebuilt_from_the_log(composed: Composed) -> None:
    """I1, I10."""
    job_id = _settled(composed)
    other = composed.submit()
    composed.runner.run(reconcile(composed.mayfly, composed.orchestrators))
    page = composed.runner.run(composed.mayfly.views.page(JobFilter(), limit=10))
    assert {job.job_id: job for job in page.jobs} == {each: composed.job(each) for each in (job_id, other)}
    assert composed.runner.run(composed.mayfly.views.complete())
