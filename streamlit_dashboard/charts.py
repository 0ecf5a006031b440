"""The charts: data in, Altair charts out. Colours repeat what an axis, a legend or a label says in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import altair as alt
import pandas as pd

from mayfly.jobs.lifecycle import STATES
from mayfly.views.figures import Bucket, Span
from streamlit_dashboard.looks import LOOKS

_TIME_UNITS: dict[Span, Literal["yearmonthdatehoursminutes", "yearmonthdatehours", "utcyearmonthdate"]] = {
    "minute": "yearmonthdatehoursminutes",
    "hour": "yearmonthdatehours",
    "day": "utcyearmonthdate",
}
"""In the viewer's zone but for days, which are counted in UTC."""
_FORMATS: dict[Span, str] = {"minute": "%H:%M", "hour": "%a %H:%M", "day": "%d %b"}
_BLUE, _VIOLET = "#2f7de1", "#8a63d2"


@lru_cache(maxsize=64)
def over_time(buckets: tuple[Bucket, ...], *, cut: Span, since: datetime, until: datetime) -> alt.Chart:
    """Return the jobs by time of submission, stacked by the state that they are in now.

    The same again while nothing has changed, because most looks at a board find nothing new.
    """
    rows = [
        {
            "from": bucket.begun_at,
            "state": LOOKS[bucket.state].word,
            "order": STATES.index(bucket.state),
            "jobs": bucket.jobs,
        }
        for bucket in buckets
    ]
    data = pd.DataFrame(rows, columns=["from", "state", "order", "jobs"])
    words = [LOOKS[state].word for state in STATES]
    colours = [LOOKS[state].chart for state in STATES]
    domain = [_moment(since), _moment(until)]
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_bar(cornerRadius=1)
        .encode(
            x=alt.X(
                "from:T",
                timeUnit=_TIME_UNITS[cut],
                title="days of UTC" if cut == "day" else None,
                scale=alt.Scale(domain=domain),
                axis=alt.Axis(grid=False, tickCount=6, format=_FORMATS[cut]),
            ),
            y=alt.Y("jobs:Q", title=None, stack="zero", axis=alt.Axis(tickMinStep=1, tickCount=4)),
            color=alt.Color(
                "state:N",
                scale=alt.Scale(domain=words, range=colours),
                legend=None,  # the tiles above have the same colours, with sign and word
            ),
            order="order:Q",
            tooltip=[
                alt.Tooltip("from:T", title="from", format="%d %b %H:%M"),
                alt.Tooltip("state:N", title="state"),
                alt.Tooltip("jobs:Q", title="jobs", format=","),
            ],
        )
        .properties(height=170)
    )
    return chart


def cpu(samples: Sequence[tuple[datetime, float, int]], *, cores: float) -> alt.LayerChart:
    """Return the cores that were used, from zero, with the size that was asked for as a line."""
    data = pd.DataFrame([{"at": at, "value": value} for at, value, _ in samples])
    return _usage(data, title="cores", limit=cores, colour=_BLUE, number_format=".2f")


def memory(samples: Sequence[tuple[datetime, float, int]], *, gigabytes: float) -> alt.LayerChart:
    """Return the memory that was used in MB, from zero, with the size that was asked for where that is near."""
    data = pd.DataFrame([{"at": at, "value": value / 1e6} for at, _, value in samples])
    return _usage(data, title="MB", limit=gigabytes * 1_000, colour=_VIOLET, number_format=",.0f")


def growth(points: Sequence[tuple[datetime, int]]) -> alt.Chart:
    """Return how many events were written in each step."""
    rows = [{"from": before_at, "events": events - before} for (before_at, before), (_, events) in pairwise(points)]
    chart: alt.Chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar(color=_BLUE, cornerRadius=1)
        .encode(
            x=alt.X(
                "from:T",
                timeUnit=_TIME_UNITS["hour"],
                title=None,
                axis=alt.Axis(grid=False, tickCount=6, format="%H:%M"),
            ),
            y=alt.Y("events:Q", title="events written", axis=alt.Axis(tickMinStep=1, tickCount=4)),
            tooltip=[alt.Tooltip("from:T", title="from", format="%d %b %H:%M"), alt.Tooltip("events:Q", format=",")],
        )
        .properties(height=190)
    )
    return chart


def _usage(data: pd.DataFrame, *, title: str, limit: float, colour: str, number_format: str) -> alt.LayerChart:
    peak = float(data["value"].max())
    top = limit * 1.05 if peak > limit / 3 else max(peak * 1.25, 0.01)
    x = alt.X("at:T", title=None, axis=alt.Axis(grid=False, tickCount=4, format="%H:%M:%S"))
    y = alt.Y("value:Q", title=title, scale=alt.Scale(domain=[0, top]), axis=alt.Axis(tickCount=4))
    tooltip = [
        alt.Tooltip("at:T", title="at", format="%H:%M:%S"),
        alt.Tooltip("value:Q", title=title, format=number_format),
    ]
    base = alt.Chart(data).encode(x=x, y=y, tooltip=tooltip)
    points = alt.OverlayMarkDef(color=colour) if len(data) < 60 else False
    layers: list[alt.Chart] = [
        base.mark_area(color=colour, opacity=0.18, interpolate="monotone"),
        base.mark_line(color=colour, strokeWidth=2, interpolate="monotone", point=points),
    ]
    if top > limit:
        asked = pd.DataFrame([{"value": limit}])
        layers.append(alt.Chart(asked).mark_rule(color="#8a93a0", strokeDash=[4, 4]).encode(y="value:Q"))
    return alt.LayerChart(layer=layers).properties(height=210)


def _moment(at: datetime) -> alt.DateTime:
    """Return a moment as Vega-Lite writes it, in UTC.

    Source: vega.github.io/vega-lite/docs/datetime.html.
    """
    return alt.DateTime(
        year=at.year, month=at.month, date=at.day, hours=at.hour, minutes=at.minute, seconds=at.second, utc=True
    )
