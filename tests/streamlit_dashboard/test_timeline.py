"""The phases of a job as bars."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from mayfly.jobs.phases import Phase, phases
from streamlit_dashboard.timeline import timeline
from tests.mayfly.jobs.lived import FAILED_THEN_SUCCEEDED
from tests.mayfly.jobs.samples import T0

NOW = T0 + timedelta(seconds=100)


def _html(found: Sequence[Phase], *, attempts: int = 1) -> str:
    return timeline(found, begun_at=T0, now=NOW, attempts=attempts)


def _phase(begun_s: float, ended_s: float | None) -> Phase:
    ended_at = None if ended_s is None else T0 + timedelta(seconds=ended_s)
    return Phase(name="running", attempt=1, begun_at=T0 + timedelta(seconds=begun_s), ended_at=ended_at)


def test_a_bar_begins_and_ends_at_its_share_of_the_whole_time() -> None:
    html = _html([_phase(0, 25), _phase(25, 100)])
    assert re.findall(r"left:min\(([\d.]+%),[^;]*;width:([\d.]+%)", html) == [("0.00%", "25.00%"), ("25.00%", "75.00%")]


def test_a_phase_that_continues_reaches_to_now_and_is_marked() -> None:
    html = _html([_phase(50, None)])
    assert "left:min(50.00%" in html
    assert "width:50.00%" in html
    assert html.count(" …") == 1


def test_phases_have_the_number_of_their_attempt_if_there_are_several() -> None:
    found = phases(FAILED_THEN_SUCCEEDED)
    assert ">2 · running</th>" in _html(found, attempts=2)
    assert ">running</th>" in _html(found, attempts=1)


def test_the_scale_has_the_whole_time_at_its_end() -> None:
    ticks = re.findall(r"<span>([^<]*)</span>", _html([_phase(0, 100)]))
    assert ticks == ["0", "25.0 s", "50.0 s", "1 min 15 s", "1 min 40 s"]
