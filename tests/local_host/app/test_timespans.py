"""How .NET writes durations."""

from __future__ import annotations

from datetime import timedelta

import pytest

from local_host.app.timespans import BadTimeSpan, parse_timespan


def test_time_spans_are_read_as_dotnet_writes_them() -> None:
    assert parse_timespan("3.00:00:00.5000000") == timedelta(days=3, milliseconds=500)
    for text in ("5", "24:00:00", "00:60:00", "x"):
        with pytest.raises(BadTimeSpan):
            parse_timespan(text)
