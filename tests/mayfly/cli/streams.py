"""Streams as the API shows them. The core itself makes them, so that each of them can happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.jobs.decide import decide
from mayfly.jobs.decide import submit as decide_submit
from mayfly.jobs.events import Event, to_document
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.jobs.job import to_document as job_document
from mayfly.jobs.spec import JobSpec

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CLAIM = "0" * 32


def succeeded(job_id: str = "ada-aaaaaaaaaa", **spec: Any) -> list[Event]:
    """Return a stream from the submission until the container is confirmed gone."""
    return _live(
        job_id,
        spec,
        c.ReportWork(attempt=1, claim=CLAIM, body=e.WorkerSucceeded(result={"n": 1}, exit_code=0, output_tail="hi\n")),
    )


def failed(job_id: str = "alan-bbbbbbbbbb", **spec: Any) -> list[Event]:
    report = c.ReportWork(
        attempt=1,
        claim=CLAIM,
        body=e.WorkerFailed(error="exit", message="the command exited with code 3", exit_code=3, output_tail=""),
    )
    return _live(job_id, spec, report)


def running(job_id: str = "grace-cccccccccc", **spec: Any) -> list[Event]:
    return _live(job_id, spec, None)


def documents(stream: list[Event]) -> list[dict[str, Any]]:
    return [to_document(event) for event in stream]


def view(stream: list[Event]) -> dict[str, Any]:
    return job_document(folded(stream))


def folded(stream: list[Event]) -> Job:
    job = fold(stream)
    assert job is not None
    return job


def _live(job_id: str, spec: dict[str, Any], report: c.Report | None) -> list[Event]:
    submit = c.SubmitJob(job_id=job_id, spec=JobSpec(**({"message": "hi"} | spec)), source="cli", idempotency_key=None)
    stream = [*decide_submit(submit, NOW).events]
    commands: list[c.Command] = [c.RequestContainer(place="local"), c.ClaimAttempt(attempt=1, claim=CLAIM)]
    if report is not None:
        commands += [report, c.RequestDelete(attempt=1, log_text="hi\n", log_truncated=False, samples=())]
        commands += [c.ConfirmGone(attempt=1)]
    for second, command in enumerate(commands, start=1):
        stream += decide(folded(stream), command, NOW + timedelta(seconds=second)).events
    return stream
