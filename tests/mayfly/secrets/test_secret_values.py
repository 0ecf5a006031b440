"""I8: a secret's value is where the container is created, and nowhere else."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from mayfly.jobs import events as e
from mayfly.jobs.job import to_json
from mayfly.jobs.spec import JobSpec, RetryPolicy
from mayfly.settings import read_settings
from mayfly.use_cases.cancel import cancel
from mayfly.use_cases.plan import plan
from mayfly.use_cases.reconcile import reconcile
from mayfly.views.job_views import JobFilter
from tests.mayfly.composed import REPORT_KEY, STARTED, SUCCEEDED, Composed, compose
from tests.mayfly.scripted_runtime import refused

CANARY = "canary-7f3a-never-to-be-seen"

_SPEC = JobSpec(message="hi", secrets={"DB_PASSWORD": "db-password"}, retry=RetryPolicy(max_attempts=3, backoff_s=0))


def _seen(composed: Composed) -> str:
    """Return everything that is stored or shown of every job."""
    composed.project()
    events = "".join(e.body_to_json(event.body) + repr(event) for event in composed.whole_log())
    page = composed.runner.run(composed.mayfly.views.page(JobFilter(archived=True), limit=200))
    return events + "".join(to_json(job) + repr(job) for job in page.jobs)


@pytest.mark.parametrize("trouble", ["none", "refused", "silent", "lost", "canceled", "slow delete"])
def test_a_secret_value_reaches_the_container_and_nothing_else(
    composed: Composed, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    caplog.set_level(logging.DEBUG)
    composed.secrets.values["db-password"] = CANARY
    composed.runtime.refusal = refused("wait") if trouble == "refused" else None
    composed.runtime.unavailable = {"create"} if trouble == "silent" else set()
    job_id = composed.submit(_SPEC)
    steps = [composed.begin(job_id)]
    composed.runtime.refusal = None
    composed.runtime.unavailable = set()
    steps.append(composed.end(job_id) if trouble == "refused" else composed.observe(job_id))
    if trouble == "lost":
        composed.runtime.move(f"{job_id}-1-local", "exited", exit_code=137)
        steps += [composed.observe(job_id), composed.end(job_id), composed.begin(job_id)]
    elif trouble == "canceled":
        composed.runner.run(cancel(composed.mayfly, composed.orchestrators, job_id, source="http", reason=None))
    elif trouble != "refused":
        composed.report(job_id, STARTED)
        composed.report(job_id, SUCCEEDED)
    composed.runtime.deletes_slowly = trouble == "slow delete"
    steps.append(composed.end(job_id))
    composed.project()
    composed.runner.run(reconcile(composed.mayfly, composed.orchestrators))

    asked = composed.runtime.requests
    assert asked, "a container was requested"
    for request in asked:
        assert request.secure_env["DB_PASSWORD"] == CANARY
        assert CANARY not in repr(request)
        assert CANARY not in repr((request.env, request.command))
        token = request.secure_env["MAYFLY_REPORT_TOKEN"]
        assert token not in repr(request)
        assert token not in _seen(composed)
        assert token not in caplog.text
    assert CANARY not in _seen(composed)
    assert CANARY not in repr(steps)
    assert CANARY not in caplog.text


def test_no_file_that_mayfly_writes_holds_a_secret_value(runner: asyncio.Runner, tmp_path: Path) -> None:
    composed = compose(runner, folder=tmp_path)
    composed.secrets.values["db-password"] = CANARY
    job_id = composed.submit(_SPEC)
    composed.begin(job_id)
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    composed.end(job_id)
    composed.project()
    token = composed.runtime.requests[0].secure_env["MAYFLY_REPORT_TOKEN"]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(job_id.encode() in path.read_bytes() for path in files), "the job itself is there"
    for path in files:
        written = path.read_bytes()
        assert CANARY.encode() not in written, path.name
        assert token.encode() not in written, path.name
    composed.close()


def test_a_plan_names_a_missing_secret_and_shows_no_value(composed: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    composed.secrets.values["db-password"] = CANARY
    planned = composed.runner.run(plan(composed.mayfly, _SPEC))
    assert planned.obstacles == ()
    assert CANARY not in repr(planned)
    composed.secrets.values.clear()
    planned = composed.runner.run(plan(composed.mayfly, _SPEC))
    assert planned.obstacles == ("there is no secret 'db-password': add db-password",)


def test_the_report_key_is_in_no_repr(composed: Composed) -> None:
    settings = read_settings({"MAYFLY_REPORT_KEY": REPORT_KEY.decode()})
    assert settings.report_key == REPORT_KEY
    assert REPORT_KEY.decode() not in repr(settings)
    assert REPORT_KEY.decode() not in repr(composed.mayfly)
