"""The log, views, task hub, intake record and ledger of 9e4d491, opened and read by the current code."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compatibility import recorded
from tests.compatibility.comparing import assert_holds, assert_same_job
from tests.compatibility.opened import Opened, folded, opened_folder
from tests.triggers.function_host import patch_durable_client

EXPECTED = recorded.expected()
JOBS: dict[str, dict[str, Any]] = EXPECTED["jobs"]
IN_FLIGHT: dict[str, str] = EXPECTED["in_flight"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return recorded.restore(tmp_path / "data")


@pytest.fixture
def opened(data: Path) -> Iterator[Opened]:
    with opened_folder(data) as opened:
        yield opened


def _rows(data: Path) -> dict[str, list[dict[str, Any]]]:
    """Return each stream as documents, read from the table itself."""
    names = ("job_id", "position", "type", "at", "attempt", "source", "data", "version")
    streams: dict[str, list[dict[str, Any]]] = {}
    with sqlite3.connect(data / "log.db") as connection:
        for row in connection.execute(f"SELECT {', '.join(names)} FROM log ORDER BY global_position"):  # noqa: S608
            document = dict(zip(names, row, strict=True))
            streams.setdefault(document["job_id"], []).append({**document, "data": json.loads(document["data"])})
    connection.close()
    return streams


def test_the_record_has_every_kind_of_event_and_jobs_in_every_state(data: Path) -> None:
    kinds = {event["type"] for stream in _rows(data).values() for event in stream}
    assert kinds == {
        "JobSubmitted", "JobHeld", "ContainerRequested", "ContainerRefused", "ContainerStarted", "WorkerStarted",
        "WorkerProgressed", "WorkerSucceeded", "WorkerFailed", "ContainerExited", "AttemptTimedOut", "LogsCaptured",
        "MetricsSampled", "RetryScheduled", "CancelRequested", "ContainerDeleteRequested", "ContainerGone",
        "ContainerFound", "ReportIgnored", "JobSucceeded", "JobFailed", "JobTimedOut", "JobCanceled", "JobArchived",
    }  # fmt: skip
    states = {"queued", "running", "succeeded", "failed", "timed_out", "canceled"}
    assert {job["state"] for job in JOBS.values()} == states
    containers = {attempt["container"] for job in JOBS.values() for attempt in job["attempts"]}
    assert containers == {"present", "deleting", "gone"}
    assert any(job["archived"] for job in JOBS.values())
    assert any(attempt["pulling_at"] for job in JOBS.values() for attempt in job["attempts"])


@pytest.mark.parametrize("job_id", JOBS)
def test_a_stream_folds_to_the_same_job(opened: Opened, job_id: str) -> None:
    assert_same_job(JOBS[job_id], opened.job(job_id))


def test_every_stream_folds_to_the_same_job_at_every_position(data: Path) -> None:
    steps = recorded.steps()
    for job_id, stream in _rows(data).items():
        for step, found in zip(steps[job_id], folded(stream), strict=True):
            assert_same_job(step, found)


def test_the_api_shows_the_events_as_they_were_written(data: Path, opened: Opened) -> None:
    for job_id, stream in _rows(data).items():
        assert_holds(stream, opened.events(job_id), job_id)


def test_the_views_are_reused_or_rebuilt(opened: Opened) -> None:
    """The reconciler rebuilds views of another version; views of this version are used as they are."""
    if opened.complete():
        assert [job["job_id"] for job in opened.viewed()] == EXPECTED["viewed"]
        assert_holds(EXPECTED["figures"], opened.figures_json())
    else:
        opened.rebuild()
    for job in opened.viewed():
        assert_same_job({**JOBS[job["job_id"]], "links": {}}, {**job, "links": {}})


def test_rebuilt_views_are_the_same(opened: Opened) -> None:
    assert opened.rebuild() == sum(job["position"] for job in JOBS.values())
    assert [job["job_id"] for job in opened.viewed()] == EXPECTED["rebuilt"]
    for job in opened.viewed():
        assert_same_job({**JOBS[job["job_id"]], "links": {}}, {**job, "links": {}})
    assert_holds(EXPECTED["rebuilt_figures"], opened.figures_json())


def test_lists_and_cursors_lead_to_the_same_jobs(opened: Opened) -> None:
    opened.rebuild()
    for query, job_ids in zip(recorded.LISTS, EXPECTED["lists"], strict=True):
        assert [job["job_id"] for job in opened.pages(**query)] == job_ids, query
    cursor = EXPECTED["cursor"]
    assert [job["job_id"] for job in opened.pages(cursor=cursor["cursor"], archived="true")] == cursor["rest"]


def test_captured_logs_and_metrics_are_still_shown(opened: Opened) -> None:
    for kind, name in (("logs", "outputs"), ("metrics", "readings")):
        for job_id, answers in EXPECTED[name].items():
            for number, answer in enumerate(answers, 1):
                assert_holds(answer, opened.get(f"jobs/{job_id}/{kind}", attempt=str(number)), f"{kind} of {job_id}")


def test_output_resumes_at_its_cursor(opened: Opened) -> None:
    (job_id, answers) = next((job_id, found) for job_id, found in EXPECTED["outputs"].items() if len(found) > 2)
    for number, answer in enumerate(answers, 1):
        again = opened.get(f"jobs/{job_id}/logs", attempt=str(number), after=answer["mark"])
        assert again["text"] == "", "all of it had been read"


def test_the_rejected_messages_the_ledger_and_the_size_of_the_log_are_the_same(opened: Opened) -> None:
    assert len(EXPECTED["intake"]["refusals"]) == 2
    assert_holds(EXPECTED["intake"], opened.get("intake"), "intake")
    assert_holds(EXPECTED["ledger"], opened.ledger_json(), "ledger")
    assert_holds(EXPECTED["log"], opened.log_json(), "log")


def test_an_idempotency_key_that_was_used_finds_its_job(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """The spec is read as it was then: a new default or a new field must not change it."""
    patch_durable_client(monkeypatch, opened.durable)
    (job_id,) = (job_id for job_id, job in JOBS.items() if job["idempotency_key"] == "order-17")
    spec = JOBS[job_id]["spec"]
    sent = {name: spec[name] for name in ("message", "name", "env", "labels")}
    answer = opened.call("POST", "jobs", body=sent, headers={"Idempotency-Key": "order-17"})
    assert (answer.status, answer.headers["Idempotency-Replayed"]) == (202, "true")
    assert answer.json["job_id"] == job_id


@pytest.mark.parametrize("job_id", JOBS)
def test_the_spec_of_a_job_can_be_sent_again(opened: Opened, job_id: str) -> None:
    answer = opened.call("POST", "plan", body=JOBS[job_id]["spec"])
    assert answer.status == 200, answer.text
    assert_holds(JOBS[job_id]["spec"], answer.json["spec"], job_id)


def test_a_worker_that_the_old_host_started_can_still_report(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its token and its claim are from 9e4d491, and it reports to the host that replaced that one."""
    job_id = IN_FLIGHT["outlives"]
    claim = JOBS[job_id]["attempts"][0]["claim"]
    with opened_folder(data, at=recorded.killed_at()) as opened:
        patch_durable_client(monkeypatch, opened.durable)
        opened.durable.statuses[job_id] = "Running"
        credential = {"Authorization": f"Bearer {EXPECTED['workers']['outlives']}"}

        def report(**body: object) -> int:
            path = f"jobs/{job_id}/reports"
            return opened.call("POST", path, body={"claim": claim, **body}, headers=credential).status

        assert report(type="started") == 200, "it had been claimed before"
        assert report(type="progress", sequence=7, fraction=0.5, message="half way") == 202
        usage = {"cpu_s": 0.5, "memory_peak_bytes": 1}
        end = {"outcome": "succeeded", "exit_code": 0, "result": [1], "output_tail": "", "usage": usage}
        assert report(type="finished", **end) == 202
        job = opened.job(job_id)
        assert (job["state"], job["result"], job["attempts"][0]["progress_count"]) == ("succeeded", [1], 1)
        assert opened.durable.raised == [(job_id, "attempt-1-ended")]
