"""The charts of CPU and memory: samples in, Altair charts out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import altair as alt
import pandas as pd

_BLUE, _VIOLET = "#2f7de1", "#8a63d2"


def cpu(samples: Sequence[tuple[datetime, float, int]], *, cores: float) -> alt.LayerChart:
    """Return a chart of the cores in use, with the requested size as a line."""
    data = pd.DataFrame([{"at": at, "value": value} for at, value, _ in samples])
    return _usage(data, title="cores", limit=cores, color=_BLUE, number_format=".2f")


def memory(samples: Sequence[tuple[datetime, float, int]], *, gigabytes: float) -> alt.LayerChart:
    """Return a chart of the memory in use, in MB, with the requested size as a line if it is near."""
    data = pd.DataFrame([{"at": at, "value": value / 1e6} for at, _, value in samples])
    return _usage(data, title="MB", limit=gigabytes * 1_000, color=_VIOLET, number_format=",.0f")


def _usage(data: pd.DataFrame, *, title: str, limit: float, color: str, number_format: str) -> alt.LayerChart:
    peak = float(data["value"].max())
    top = limit * 1.05 if peak > limit / 3 else max(peak * 1.25, 0.01)
    x = alt.X("at:T", title=None, axis=alt.Axis(grid=False, tickCount=4, format="%H:%M:%S"))
    y = alt.Y("value:Q", title=title, scale=alt.Scale(domain=[0, top]), axis=alt.Axis(tickCount=4))
    tooltip = [
        alt.Tooltip("at:T", title="at", format="%H:%M:%S"),
        alt.Tooltip("value:Q", title=title, format=number_format),
    ]
    base = alt.Chart(data).encode(x=x, y=y, tooltip=tooltip)
    points = alt.OverlayMarkDef(color=color) if len(data) < 60 else False
    layers: list[alt.Chart] = [
        base.mark_area(color=color, opacity=0.18, interpolate="monotone"),
        base.mark_line(color=color, strokeWidth=2, interpolate="monotone", point=points),
    ]
    if top > limit:
        requested = pd.DataFrame([{"value": limit}])
        layers.append(alt.Chart(requested).mark_rule(color="#8a93a0", strokeDash=[4, 4]).encode(y="value:Q"))
    return alt.LayerChart(layer=layers).properties(height=210)
