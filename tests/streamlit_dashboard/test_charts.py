"""The charts of CPU and memory: units, and the line of the requested size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streamlit_dashboard.charts import cpu, memory

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def _samples(count: int, *, cores: float = 0.5, memory_bytes: int = 100_000_000) -> list[tuple[datetime, float, int]]:
    return [(NOON + timedelta(seconds=number), cores, memory_bytes) for number in range(count)]


def _top(chart: dict[str, Any]) -> float:
    found: float = chart["layer"][0]["encoding"]["y"]["scale"]["domain"][1]
    return found


def _values(chart: dict[str, Any]) -> list[float]:
    return [row["value"] for rows in chart["datasets"].values() for row in rows if "at" in row]


def _has_limit(chart: dict[str, Any]) -> bool:
    return any(layer["mark"]["type"] == "rule" for layer in chart["layer"])


def test_memory_is_in_megabytes_and_cpu_in_cores() -> None:
    assert set(_values(memory(_samples(3), gigabytes=1.5).to_dict())) == {100.0}
    assert set(_values(cpu(_samples(3), cores=1).to_dict())) == {0.5}


@pytest.mark.parametrize(("used", "near"), [(1.0, True), (0.34, True), (0.3, False), (0.0, False)])
def test_the_requested_size_is_drawn_if_the_use_comes_near(used: float, near: bool) -> None:
    chart = cpu(_samples(3, cores=used), cores=1).to_dict()
    assert _has_limit(chart) == near
    assert _top(chart) > used


def test_a_use_beyond_the_requested_size_is_not_cut_off_silently() -> None:
    chart = cpu(_samples(2, cores=0.9), cores=1).to_dict()
    assert _top(chart) == pytest.approx(1.05)


def test_points_are_drawn_only_if_they_are_few() -> None:
    few, many = (cpu(_samples(count), cores=1).to_dict()["layer"][1]["mark"]["point"] for count in (59, 60))
    assert few
    assert many is False
