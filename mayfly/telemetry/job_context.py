"""Which job a log record or a span is about: noted where a stream is read, and put on everything that follows.

The Functions worker exports Python's log records and spans through OpenTelemetry when the app settings ask for it; the
attributes `mayfly.job_id` and `mayfly.attempt` are then in the `customDimensions` of Application Insights. A function's
invocation is a task of its own, and so is what it noted. What the host itself records of an invocation (`requests`)
does not know of them: the operation's id joins the two.
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
    "mayfly.projector.lag", unit="s", description="Age of the oldest event of a batch when the views take it"
)

_about: ContextVar[tuple[str, int]] = ContextVar("mayfly_about", default=("", 0))


def bind(job_id: str, attempt: int = 0) -> None:
    """Say which job, and which attempt, this task is about from now on; 0: before the first."""
    _about.set((job_id, attempt))
    span = trace.get_current_span()
    if span.is_recording():
        span.set_attributes({JOB_ID: job_id, ATTEMPT: attempt})


def unbind() -> None:
    """Say that what follows is about no single job."""
    _about.set(("", 0))


def log_events(events: Iterable[Event]) -> None:
    """Write one record for each event that was appended; bicep/workbook.json and the alerts are made of these."""
    for event in events:
        bind(event.job_id, event.attempt)
        reason = getattr(event.body, "reason", None) or getattr(event.body, "code", None)
        extra = {EVENT: event.type, **({REASON: str(reason)} if reason else {})}
        _events.info("%s of %s", event.type, event.job_id, extra=extra)


def record_projection_lag(lag_s: float) -> None:
    """Record how far behind the views were."""
    _lag.record(max(0.0, lag_s))


def install() -> None:
    """Have every log record of this process, and every span that begins, carry what was noted. Again is harmless."""
    _install_on_records()
    provider = trace.get_tracer_provider()
    if hasattr(provider, "add_span_processor") and not getattr(provider, "of_mayfly", False):
        from mayfly.telemetry.job_span_processor import (
            JobSpanProcessor,  # the OpenTelemetry SDK is there where spans are exported
        )

        provider.add_span_processor(JobSpanProcessor(bound_attributes))
        provider.of_mayfly = True  # type: ignore[attr-defined]


def bound_attributes() -> dict[str, str | int]:
    """Return the attributes of what this task is about; empty: no job."""
    job_id, attempt = _about.get()
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
