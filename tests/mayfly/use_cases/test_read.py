"""The read service reads from the running container, then from the log, then from the worker's report."""

from __future__ import annotations

import pytest

from mayfly.containers.runtime import MetricSample
from mayfly.errors import NotFound
from mayfly.jobs.spec import JobSpec, RetryPolicy
from mayfly.use_cases.read import Output, Reader, Readings
from tests.mayfly.composed import STARTED, SUCCEEDED, Composed
from tests.mayfly.jobs.samples import T0


@pytest.fixture
def reader(composed: Composed) -> Reader:
    return Reader(composed.mayfly)


def _output(composed: Composed, reader: Reader, job_id: str, attempt: int | None = None) -> Output:
    return composed.runner.run(reader.output(job_id, attempt=attempt))


def _readings(composed: Composed, reader: Reader, job_id: str) -> Readings:
    return composed.runner.run(reader.readings(job_id))


def test_before_the_first_attempt_there_are_no_output_and_no_samples(composed: Composed, reader: Reader) -> None:
    job_id = composed.submit()
    assert _output(composed, reader, job_id) == Output(attempt=0, source="none", text="", truncated=False)
    assert _readings(composed, reader, job_id) == Readings(attempt=0, source="none", samples=())


def test_output_comes_from_the_container_then_from_the_log(composed: Composed, reader: Reader) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.runtime.texts[f"{job_id}-1-local"] = "hello\n"
    assert _output(composed, reader, job_id) == Output(attempt=1, source="container", text="hello\n", truncated=False)
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    composed.end(job_id)
    assert _output(composed, reader, job_id) == Output(attempt=1, source="log", text="hello\n", truncated=False)


def test_output_comes_from_the_report_if_none_was_captured(composed: Composed, reader: Reader) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.report(job_id, STARTED)
    composed.report(job_id, {**SUCCEEDED, "output_tail": "the tail"})
    composed.runtime.unavailable = {"logs"}
    composed.end(job_id)
    assert _output(composed, reader, job_id) == Output(attempt=1, source="report", text="the tail", truncated=True)


def test_an_unavailable_platform_is_not_an_error_for_a_reader(composed: Composed, reader: Reader) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.runtime.unavailable = {"logs", "metrics"}
    assert _output(composed, reader, job_id).source == "none"
    assert _readings(composed, reader, job_id).source == "none"


def test_samples_come_from_the_container_then_from_the_log(composed: Composed, reader: Reader) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.runtime.samples[f"{job_id}-1-local"] = [MetricSample(at=T0, cpu_cores=0.5, memory_bytes=7)]
    assert _readings(composed, reader, job_id) == Readings(attempt=1, source="container", samples=((T0, 0.5, 7),))
    composed.report(job_id, STARTED)
    composed.report(job_id, SUCCEEDED)
    composed.end(job_id)
    assert _readings(composed, reader, job_id) == Readings(attempt=1, source="log", samples=((T0, 0.5, 7),))


def test_each_attempt_keeps_its_own_output(composed: Composed, reader: Reader) -> None:
    job_id = composed.submit(JobSpec(message="hi", retry=RetryPolicy(max_attempts=2, backoff_s=0)))
    for attempt in (1, 2):
        composed.begin(job_id)
        group = f"{job_id}-{attempt}-local"
        composed.runtime.texts[group] = f"try {attempt}"
        composed.runtime.move(group, "exited", exit_code=1)
        composed.observe(job_id)
        composed.end(job_id)
    assert [_output(composed, reader, job_id, attempt).text for attempt in (1, 2, None)] == ["try 1", "try 2", "try 2"]
    assert _output(composed, reader, job_id, 3).source == "none"


def test_the_stream_is_read_after_a_position_and_an_unknown_one_is_not_found(
    composed: Composed, reader: Reader
) -> None:
    job_id = composed.submit()
    composed.begin(job_id)
    found = composed.runner.run(reader.events(job_id, after=1, limit=10))
    assert [event.type for event in found] == ["ContainerRequested"]
    assert list(composed.runner.run(reader.events(job_id, after=99, limit=10))) == []
    with pytest.raises(NotFound):
        composed.runner.run(reader.events("ada-abcdefghij", after=0, limit=10))
