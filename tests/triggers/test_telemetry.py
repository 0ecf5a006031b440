"""Every record and span that any kind of function sends to Application Insights names its job.

The handler, provider and processors are OpenTelemetry's own; the exporters keep everything in memory.
"""

from __future__ import annotations

import contextvars
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from opentelemetry import trace

from mayfly.jobs.names import job_id_for
from mayfly.log.sqlite.event_log import SqliteEventLog
from mayfly.telemetry import job_context
from tests.mayfly.composed import STARTED, SUCCEEDED
from tests.mayfly.exported import Exported, exporting
from tests.mayfly.scripted_runtime import ScriptedRuntime
from tests.triggers.function_host import CLIENT_BINDING, FunctionHost, run
from tests.triggers.test_intake import message

About = tuple[object, object]


def _about(attributes: Any) -> About:
    return (attributes or {}).get(job_context.JOB_ID), (attributes or {}).get(job_context.ATTEMPT)


@pytest.fixture
def exported() -> Iterator[Exported]:
    with exporting() as found:
        yield found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the platform and the log's store write a record and begin a span, as the SDKs beneath them do."""
    tracer, logger = trace.get_tracer("sdk"), logging.getLogger("sdk")

    def telling(method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*arguments: Any, **named: Any) -> Any:
            with tracer.start_as_current_span(method.__name__):
                logger.info("asked")
                return await method(*arguments, **named)

        return call

    for name in ("create", "inspect", "logs", "delete"):
        monkeypatch.setattr(ScriptedRuntime, name, telling(getattr(ScriptedRuntime, name)))
    for name in ("read", "append"):
        monkeypatch.setattr(SqliteEventLog, name, telling(getattr(SqliteEventLog, name)))


@pytest.fixture(autouse=True)
def _own_tasks(api: FunctionHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `asyncio.Runner`, a run would see the binding of another; in the worker it does not."""
    once = api.composed.runner.run
    monkeypatch.setattr(api.composed.runner, "run", lambda coroutine: once(coroutine, context=contextvars.Context()))


def _all_about(exported: Exported, job_id: str, *, attempt: int) -> None:
    """Check that there are records, that all are about the job, and that the last one is about the attempt."""
    records, spans = exported.records.get_finished_logs(), exported.spans.get_finished_spans()
    told = [_about(one.log_record.attributes) for one in records], [_about(one.attributes) for one in spans]
    exported.clear()
    for about in told:
        assert about
        assert {job for job, _ in about} == {job_id}
        assert about[-1] == (job_id, attempt)
        # Only who has not read the stream yet does not know the attempt.
        assert about == sorted(about, key=lambda one: str(one[1]))


@pytest.mark.usefixtures("asked")
def test_records_and_spans_of_each_function_carry_job_and_attempt(api: FunctionHost, exported: Exported) -> None:
    job_id = api.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
    _all_about(exported, job_id, attempt=0)
    api.perform("begin_attempt", job_id)
    _all_about(exported, job_id, attempt=1)
    api.perform("observe_attempt", job_id)
    _all_about(exported, job_id, attempt=1)
    api.report(job_id, STARTED)
    _all_about(exported, job_id, attempt=1)
    api.call("GET", f"jobs/{job_id}/logs")
    _all_about(exported, job_id, attempt=1)
    api.report(job_id, SUCCEEDED)
    _all_about(exported, job_id, attempt=1)
    api.perform("end_attempt", job_id)
    _all_about(exported, job_id, attempt=1)


@pytest.mark.usefixtures("asked")
def test_the_queue_the_timer_and_the_feed_carry_them_too(api: FunctionHost, exported: Exported, tmp_path: Path) -> None:
    runner = api.composed.runner
    run(runner, "take_message", message=message(b"hash me"), client=CLIENT_BINDING)
    job_id = job_id_for(seed=b"order-17")
    _all_about(exported, job_id, attempt=0)

    api.composed.project()
    api.durable.statuses.clear()
    api.composed.clock.advance(60)
    run(runner, "reconcile", timer=None, client=CLIENT_BINDING)
    told = {one.log_record.body: _about(one.log_record.attributes) for one in exported.records.get_finished_logs()}
    started = next(text for text in told if "starting the missing orchestrator" in str(text))
    summary = next(text for text in told if str(text).startswith("reconciled"))
    assert told[started] == (job_id, 0)
    assert told[summary] == (None, None), "it is about no single job"
    exported.clear()

    with closing(sqlite3.connect(tmp_path / "log.db")) as reader:
        (text,) = reader.execute("SELECT document FROM events").fetchone()
    document = json.loads(text) | {"position": 3}  # one is missing before it, so the stream itself is read
    run(runner, "project_events", documents=func.DocumentList([func.Document.from_dict(document)]))
    _all_about(exported, job_id, attempt=0)


def test_a_record_without_a_span_carries_them(api: FunctionHost, exported: Exported) -> None:
    job_id = api.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
    (told,) = [one for one in exported.records.get_finished_logs() if "JobSubmitted" in str(one.log_record.body)]
    assert not trace.get_current_span().is_recording()
    assert told.log_record.trace_id in (0, None)
    assert _about(told.log_record.attributes) == (job_id, 0)


def test_an_unavailable_platform_is_logged_with_the_job(api: FunctionHost, exported: Exported) -> None:
    job_id = api.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
    api.composed.runtime.unavailable = {"create"}
    exported.records.clear()
    api.perform("begin_attempt", job_id)
    warned = [one for one in exported.records.get_finished_logs() if "creating" in str(one.log_record.body)]
    assert [_about(one.log_record.attributes) for one in warned] == [(job_id, 1)]
