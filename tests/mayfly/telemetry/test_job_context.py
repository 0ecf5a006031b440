"""Every record says which job and which attempt it is about, as the exporter will see it."""

from __future__ import annotations

import asyncio
import contextvars
import logging

import pytest

from mayfly.telemetry import job_context
from mayfly.use_cases.attempts import begin_attempt
from tests.mayfly.composed import Composed


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = logging.getLogRecordFactory()
    job_context.install()
    installed = logging.getLogRecordFactory()
    job_context.install()
    assert logging.getLogRecordFactory() is installed
    monkeypatch.setattr(logging, "_logRecordFactory", before, raising=False)
    logging.setLogRecordFactory(installed)


def _about(record: logging.LogRecord) -> tuple[object, object]:
    return record.__dict__.get(job_context.JOB_ID), record.__dict__.get(job_context.ATTEMPT)


def test_a_record_carries_the_job_and_the_attempt_of_its_task(
    composed: Composed, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = composed.submit()
    other = composed.submit()

    async def work(one: str) -> None:
        await begin_attempt(composed.mayfly, one)
        logging.getLogger("mayfly.test").warning("worked on %s", one)

    async def both() -> None:
        await asyncio.gather(asyncio.create_task(work(job_id)), asyncio.create_task(work(other)))
        logging.getLogger("mayfly.test").warning("outside")

    composed.runner.run(both())
    told = {record.getMessage(): _about(record) for record in caplog.records if record.name == "mayfly.test"}
    assert told == {
        f"worked on {job_id}": (job_id, 1),
        f"worked on {other}": (other, 1),
        "outside": told["outside"],
    }


def test_a_record_of_no_job_carries_nothing(caplog: pytest.LogCaptureFixture) -> None:
    contextvars.Context().run(logging.getLogger("mayfly.test").warning, "nobody")
    assert _about(caplog.records[-1]) == (None, None)


def test_the_exporter_reads_the_attributes_of_a_record() -> None:
    """Against OpenTelemetry's own handler, which the Functions worker's exporter installs."""
    logs = pytest.importorskip("opentelemetry.sdk._logs")
    export = pytest.importorskip("opentelemetry.sdk._logs.export")
    handler = pytest.importorskip("opentelemetry.instrumentation.logging.handler")
    exporter = export.InMemoryLogRecordExporter()
    provider = logs.LoggerProvider()
    provider.add_log_record_processor(export.SimpleLogRecordProcessor(exporter))
    logger = logging.getLogger("mayfly.test.exported")
    logger.addHandler(handler.LoggingHandler(logger_provider=provider))

    async def work() -> None:
        job_context.bind("ada-abcdefghij", 2)
        logger.warning("on it")

    asyncio.run(work())
    (finished,) = exporter.get_finished_logs()
    attributes = dict(finished.log_record.attributes)
    assert (attributes[job_context.JOB_ID], attributes[job_context.ATTEMPT]) == ("ada-abcdefghij", 2)
