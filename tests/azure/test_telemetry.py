"""Spans that Azure's own SDK begins, of which Mayfly knows nothing, say which job they are about."""

from __future__ import annotations

import asyncio
import logging

import pytest
from azure.core.settings import settings
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mayfly import telemetry
from tests.azure.clocked import on_azure


def test_each_request_to_azure_is_a_span_about_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    spans, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", tracers)
    settings.tracing_implementation = "opentelemetry"
    factory = logging.getLogRecordFactory()
    telemetry.install()

    async def story() -> str:
        async with on_azure() as azure:
            job_id = await azure.submit()
            await azure.run()
            assert (await azure.job(job_id)).settled
            return job_id

    try:
        job_id = asyncio.run(story())
    finally:
        settings.tracing_implementation.unset_value()
        logging.setLogRecordFactory(factory)
    about = {one.name: dict(one.attributes or {}) for one in spans.get_finished_spans()}
    assert {"PUT", "GET", "DELETE"} <= {name.partition(" ")[0] for name in about}
    assert {attributes.get(telemetry.JOB_ID) for attributes in about.values()} == {job_id}
    changes = [attributes for name, attributes in about.items() if name.startswith(("PUT", "DELETE"))]
    assert {attributes[telemetry.ATTEMPT] for attributes in changes} == {1}
