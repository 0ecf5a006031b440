"""The telemetry that the Functions worker installs, with exporters that keep everything in memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from opentelemetry import trace
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mayfly.telemetry import job_context


@dataclass(frozen=True, kw_only=True)
class Exported:
    records: InMemoryLogRecordExporter
    spans: InMemorySpanExporter

    def everything(self) -> str:
        """Return everything that was sent, as text."""
        records = [repr(one.log_record) + repr(vars(one.log_record)) for one in self.records.get_finished_logs()]
        spans = [one.to_json() for one in self.spans.get_finished_spans()]
        return "\n".join([*records, *spans])

    def clear(self) -> None:
        self.records.clear()
        self.spans.clear()


@contextmanager
def exporting(level: int = logging.INFO) -> Iterator[Exported]:
    """Export until the block is left, with Mayfly's part installed as `composition.current` does it."""
    records = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    found = Exported(records=records, spans=InMemorySpanExporter())
    loggers, tracers = LoggerProvider(), TracerProvider()
    loggers.add_log_record_processor(SimpleLogRecordProcessor(found.records))
    tracers.add_span_processor(SimpleSpanProcessor(found.spans))
    factory, root = logging.getLogRecordFactory(), logging.getLogger()
    handler, before = LoggingHandler(level=level, logger_provider=loggers), root.level
    root.addHandler(handler)
    root.setLevel(level)
    with patch.object(trace, "_TRACER_PROVIDER", tracers):
        job_context.install()
        job_context.install()
        try:
            yield found
        finally:
            root.removeHandler(handler)
            root.setLevel(before)
            logging.setLogRecordFactory(factory)
            loggers.shutdown()
