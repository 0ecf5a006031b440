"""Attempts while the platform, the secret store or the log does not answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mayfly.jobs.spec import JobSpec
from tests.mayfly.composed import STARTED, SUCCEEDED, Composed
from tests.mayfly.jobs.samples import T0
from tests.mayfly.scripted_runtime import refused

_BEGUN = ["JobSubmitted", "ContainerRequested"]


def test_an_unavailable_secret_store_delays_only_the_container(composed: Composed) -> None:
    """I6: the start deadline runs whatever does not answer."""
    composed.secrets.silent = True
    job_id = composed.submit(JobSpec(message="hi", secrets={"DB": "db-password"}, start_timeout_s=60))
    step = composed.begin(job_id)
    assert step.activity == "observe_attempt"
    composed.clock.advance(30)
    assert composed.observe(job_id).activity == "observe_attempt"
    composed.secrets.silent = False
    composed.secrets.values["db-password"] = "canary"
    composed.observe(job_id)
    assert len(composed.runtime.requests) == 1
    composed.secrets.silent = True
    composed.runtime.lose(f"{job_id}-1-local")
    composed.clock.advance(30)
    composed.observe(job_id)
    assert composed.job(job_id).state == "timed_out"


def test_an_unanswered_create_is_repeated(composed: Composed) -> None:
    composed.runtime.unavailable = {"create"}
    job_id = composed.submit()
    assert composed.begin(job_id).activity == "observe_attempt"
    composed.runtime.unavailable = set()
    composed.observe(job_id)
    assert [request.group for request in composed.runtime.requests] == [f"{job_id}-1-local"] * 2
    assert composed.types(job_id) == _BEGUN


def test_an_unanswered_poll_says_nothing_about_the_container(composed: Composed) -> None:
    job_id = composed.submit(JobSpec(message="hi", start_timeout_s=60))
    composed.begin(job_id)
    composed.runtime.unavailable = {"inspect"}
    composed.clock.advance(59)
    assert composed.observe(job_id).activity == "observe_attempt"
    assert composed.types(job_id) == _BEGUN
    composed.clock.advance(1)
    assert composed.observe(job_id).activity == "end_attempt"
    assert composed.job(job_id).state == "timed_out"


def test_unavailable_metrics_do_not_hide_that_the_container_ended(composed: Composed) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.runtime.move(f"{job_id}-1-local", "exited", exit_code=1)
    composed.runtime.unavailable = {"metrics"}
    composed.observe(job_id)
    assert composed.job(job_id).state == "failed"


def test_an_unavailable_platform_is_not_polled_at_once_for_a_refused_group(composed: Composed) -> None:
    composed.runtime.refusal = refused("wait")
    job_id = composed.submit()
    composed.begin(job_id)
    composed.runtime.unavailable = {"inspect"}
    step = composed.end(job_id)
    assert step.activity == "end_attempt"
    assert step.due_at == (T0 + timedelta(seconds=5))


def test_an_unanswered_delete_is_repeated_until_it_is_answered(composed: Composed) -> None:
    """I5."""
    job_id = composed.submit()
    composed.begin(job_id)
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    composed.runtime.unavailable = {"delete", "inspect"}
    step = composed.end(job_id)
    assert step.activity == "end_attempt"
    assert step.due_at is not None
    assert not composed.job(job_id).settled
    composed.runtime.unavailable = set()
    composed.clock.advance(60)
    assert composed.end(job_id).activity == "done"
    assert composed.job(job_id).settled
    assert composed.runtime.deletes == [f"{job_id}-1-local"] * 2


def test_an_unavailable_platform_delays_the_first_admission(composed: Composed) -> None:
    composed.runtime.unavailable = {"list"}
    job_id = composed.submit()
    step = composed.begin(job_id)
    assert step.activity == "begin_attempt"
    assert step.due_at is not None
    assert step.due_at > composed.clock.now()
    assert composed.types(job_id)[0] == "JobSubmitted"
    composed.runtime.unavailable = set()
    composed.clock.advance(60)
    assert composed.begin(job_id).activity == "observe_attempt"


@pytest.mark.parametrize("silent", [{"logs"}, {"metrics"}, {"logs", "metrics"}], ids=["logs", "metrics", "both"])
def test_an_unavailable_log_does_not_delay_the_delete(composed: Composed, silent: set[str]) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.runtime.texts[f"{job_id}-1-local"] = "hello\n"
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    composed.runtime.unavailable = silent
    assert composed.end(job_id).activity == "done"
    assert ("LogsCaptured" in composed.types(job_id)) == ("logs" not in silent)
