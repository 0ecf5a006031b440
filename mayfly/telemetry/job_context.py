"""Which job is a log record or a span about? Reading a stream binds its job to everything that follows in the task.

If the app settings enable it, the Functions worker exports Python's log records and spans through OpenTelemetry. The
attributes `mayfly.job_id` and `mayfly.attempt` are then in the `customDimensions` of Application Insights. Each
invocation of a function is a separate task with its own binding. The host's own records of an invocation (`requests`)
lack the attributes; the operation id joins the two.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from opentelemetry import metrics, trace

from mayfly.jobs.events import Event

JOB_ID = "mayfly.job_id"
ATTEMPT = "mayfly.attempt"

EVENT = "mayfly.event"
REASON = "mayfly.reason"

_events = logging.getLogger("mayfly.events")
_lag = metrics.get_meter("mayfly").create_histogram(
    "mayfly.projector.lag", unit="s", description="Age of the oldest event in a batch when it is projected"
)

_bound: ContextVar[tuple[str, int]] = ContextVar("mayfly_bound", default=("", 0))


def bind(job_id: str, attempt: int = 0) -> None:
    """Bind a job and an attempt to this task from now on; 0: before the first attempt."""
    _bound.set((job_id, attempt))
    span = trace.get_current_span()
    if span.is_recording():
        span.set_attributes({JOB_ID: job_id, ATTEMPT: attempt})


def unbind() -> None:
    """End the binding: the following records are about no single job."""
    _bound.set(("", 0))


def log_events(events: Iterable[Event]) -> None:
    """Log one record per appended event; bicep/workbook.json and the alerts query these."""
    for event in events:
        bind(event.job_id, event.attempt)
        reason = getattr(event.body, "reason", None) or getattr(event.body, "code", None)
        extra = {EVENT: event.type, **({REASON: str(reason)} if reason else {})}
        _events.info("%s of %s", event.type, event.job_id, extra=extra)


def record_projection_lag(lag_s: float) -> None:
    """Record how far the views were behind the log."""
    _lag.record(max(0.0, lag_s))


def install() -> None:
    """Attach the bound job to every log record and span of this process. Calling it again is harmless."""
    _install_on_records()
    provider = trace.get_tracer_provider()
    if hasattr(provider, "add_span_processor") and not getattr(provider, "of_mayfly", False):
        # A provider with processors comes from the OpenTelemetry SDK, so the SDK is installed.
        from mayfly.telemetry.job_span_processor import JobSpanProcessor

        provider.add_span_processor(JobSpanProcessor(bound_attributes))
        provider.of_mayfly = True  # type: ignore[attr-defined]


def bound_attributes() -> dict[str, str | int]:
    """Return the attributes of the bound job; empty: none is bound."""
    job_id, attempt = _bound.get()
    return {JOB_ID: job_id, ATTEMPT: attempt} if job_id else {}


def _install_on_records() -> None:
    make = logging.getLogRecordFactory()
    if getattr(make, "of_mayfly", False):
        return

    def record(*arguments: Any, **named: Any) -> logging.LogRecord:
        made = make(*arguments, **named)
        made.__dict__.update(bound_attributes())
        return made

    record.of_mayfly = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(record)
