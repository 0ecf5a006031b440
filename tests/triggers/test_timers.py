"""The reconciler's timer."""

from __future__ import annotations

import pytest

from tests.triggers.function_host import CLIENT_BINDING, FunctionHost, run


def _reconcile(api: FunctionHost) -> None:
    run(api.composed.runner, "reconcile", timer=None, client=CLIENT_BINDING)


def test_the_timer_starts_an_orchestrator_that_is_missing(api: FunctionHost) -> None:
    job_id = api.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
    api.composed.project()
    api.composed.clock.advance(60)
    _reconcile(api)
    assert api.durable.statuses == {job_id: "Running"}
    for status in ("Failed", "Terminated", "Completed"):
        api.durable.statuses[job_id] = status
        _reconcile(api)
        assert api.durable.statuses[job_id] == "Running"


def test_an_unavailable_durable_host_is_left_to_the_next_pass(
    api: FunctionHost, caplog: pytest.LogCaptureFixture
) -> None:
    api.call("POST", "jobs", body={"message": "hi"})
    api.composed.project()
    api.durable.broken = True
    _reconcile(api)
    assert "the next pass continues" in caplog.text
