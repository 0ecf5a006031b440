"""The charts of CPU and memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import altair as alt
import pandas as pd


def usage_chart(
    points: Sequence[tuple[datetime, float]], *, unit: str, limit: float, color: str, number_format: str
) -> alt.LayerChart:
    """Return a chart of (time, value) points, with the limit as a line if it is near."""
    data = pd.DataFrame(points, columns=["at", "value"])
    peak = float(data["value"].max())
    top = limit * 1.05 if peak > limit / 3 else max(peak * 1.25, 0.01)
    x = alt.X("at:T", title=None, axis=alt.Axis(grid=False, tickCount=4, format="%H:%M:%S"))
    y = alt.Y("value:Q", title=unit, scale=alt.Scale(domain=[0, top]), axis=alt.Axis(tickCount=4))
    tooltip = [
        alt.Tooltip("at:T", title="at", format="%H:%M:%S"),
        alt.Tooltip("value:Q", title=unit, format=number_format),
    ]
    base = alt.Chart(data).encode(x=x, y=y, tooltip=tooltip)
    dots = alt.OverlayMarkDef(color=color) if len(data) < 60 else False
    layers: list[alt.Chart] = [
        base.mark_area(color=color, opacity=0.18, interpolate="monotone"),
        base.mark_line(color=color, strokeWidth=2, interpolate="monotone", point=dots),
    ]
    if top > limit:
        requested = pd.DataFrame([{"value": limit}])
        layers.append(alt.Chart(requested).mark_rule(color="#8a93a0", strokeDash=[4, 4]).encode(y="value:Q"))
    return alt.LayerChart(layer=layers).properties(height=210)
