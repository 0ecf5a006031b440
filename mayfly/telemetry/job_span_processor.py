"""Put on each span, as it begins, which job it is about: those of Azure's SDKs too, of which Mayfly knows nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor


class JobSpanProcessor(SpanProcessor):
    """`noted` returns the attributes of whoever begins a span."""

    def __init__(self, noted: Callable[[], Mapping[str, str | int]]) -> None:
        self._noted = noted

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - an override
        """Mark the span."""
        span.set_attributes(self._noted())
