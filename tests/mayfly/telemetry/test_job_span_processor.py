"""Every span carries the job that was bound when it started."""

from __future__ import annotations

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mayfly.telemetry.job_span_processor import JobSpanProcessor


def test_a_span_has_the_attributes_of_its_start() -> None:
    bound: dict[str, str | int] = {"mayfly.job_id": "ada-abcdefghij", "mayfly.attempt": 1}
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(JobSpanProcessor(lambda: bound))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("first"):
        bound["mayfly.attempt"] = 2
        with tracer.start_as_current_span("second"):
            bound.clear()
    tracer.start_span("third").end()
    found = {span.name: dict(span.attributes or {}) for span in exporter.get_finished_spans()}
    assert found == {
        "first": {"mayfly.job_id": "ada-abcdefghij", "mayfly.attempt": 1},
        "second": {"mayfly.job_id": "ada-abcdefghij", "mayfly.attempt": 2},
        "third": {},
    }
