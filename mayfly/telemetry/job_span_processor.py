"""Attach the bound job to each span at its start, including the spans of Azure's SDKs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor


class JobSpanProcessor(SpanProcessor):
    """Set the attributes that `bound` returns on every span."""

    def __init__(self, bound: Callable[[], Mapping[str, str | int]]) -> None:
        self._bound = bound

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - an override
        span.set_attributes(self._bound())
