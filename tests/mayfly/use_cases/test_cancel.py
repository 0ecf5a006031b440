"""Canceling: the outcome is final, and the container is deleted."""

from __future__ import annotations

import pytest

from mayfly.errors import NotFound
from mayfly.jobs import events as e
from mayfly.jobs.job import Job
from mayfly.use_cases.archive import archive
from mayfly.use_cases.cancel import cancel
from tests.mayfly.composed import STARTED, SUCCEEDED, Composed


def _cancel(composed: Composed, job_id: str, reason: str | None = None) -> Job:
    return composed.runner.run(cancel(composed.mayfly, composed.orchestrators, job_id, source="cli", reason=reason))


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
