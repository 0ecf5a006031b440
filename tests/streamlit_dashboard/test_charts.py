"""The charts of CPU and memory: their scale, and the line of the limit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streamlit_dashboard.charts import usage_chart

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def _chart(used: float, *, points: int = 3) -> dict[str, Any]:
    values = [(NOON + timedelta(seconds=number), used) for number in range(points)]
    found: dict[str, Any] = usage_chart(values, unit="cores", limit=1.0, color="#123", number_format=".2f").to_dict()
    return found


def _top(chart: dict[str, Any]) -> float:
    found: float = chart["layer"][0]["encoding"]["y"]["scale"]["domain"][1]
    return found


@pytest.mark.parametrize(("used", "near"), [(1.0, True), (0.34, True), (0.3, False), (0.0, False)])
def test_the_limit_is_drawn_if_the_use_comes_near(used: float, near: bool) -> None:
    chart = _chart(used)
    assert any(layer["mark"]["type"] == "rule" for layer in chart["layer"]) == near
    assert _top(chart) > used


def test_a_low_use_fills_most_of_the_height() -> None:
    assert _top(_chart(0.2)) == pytest.approx(0.25)


def test_every_point_has_its_time_and_its_value() -> None:
    (rows,) = [rows for rows in _chart(0.2)["datasets"].values() if "at" in rows[0]]
    assert [row["value"] for row in rows] == [0.2] * 3
    assert len({row["at"] for row in rows}) == 3


def test_points_are_marked_only_if_they_are_few() -> None:
    few, many = (_chart(0.5, points=count)["layer"][1]["mark"]["point"] for count in (59, 60))
    assert few
    assert many is False
