"""Parts of pages: text from a job is escaped, and numbers add up."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from mayfly.jobs.job import Progress
from mayfly.jobs.lifecycle import STATES
from mayfly.jobs.spec import JobSpec
from streamlit_dashboard.cards import attempt_progress, bar, facts, shares, table, tiles, title
from tests.mayfly.cli.streams import folded, running
from tests.mayfly.jobs.samples import T0
from tests.waiting import HANG_GUARD_S

_HOSTILE = '<img src=x onerror="alert(1)">'


def _html(draw: Callable[..., None], *arguments: object) -> str:
    """Draw a part on a page and return its HTML."""

    def script(draw: object, arguments: tuple[object, ...]) -> None:  # runs alone: it can use no name of this module
        draw(*arguments)  # type: ignore[operator]

    page = AppTest.from_function(script, kwargs={"draw": draw, "arguments": arguments}, default_timeout=HANG_GUARD_S)
    (html,) = page.run().get("html")
    return str(html.proto.body)


def test_names_are_escaped_and_empty_values_left_out() -> None:
    html = _html(facts, (_HOSTILE, "1"), ("empty", ""))
    assert "<img" not in html
    assert "empty" not in html


def test_a_row_has_its_class_and_its_cells() -> None:
    html = _html(table, ("a", _HOSTILE), [("1", "2"), ("3", "4")], ["mf-now", "mf-later"])
    assert "<img" not in html
    assert '<tr class="mf-later"><td>3</td><td>4</td></tr>' in html


def test_the_label_of_a_bar_is_escaped() -> None:
    assert all("<img" not in bar(fraction, _HOSTILE) for fraction in (None, 0.5))


@pytest.mark.parametrize(("fraction", "now", "width"), [(0.0, "0", "0%"), (0.256, "26", "26%"), (1.0, "100", "100%")])
def test_a_bar_is_as_wide_as_its_fraction(fraction: float, now: str, width: str) -> None:
    html = bar(fraction, "progress")
    assert f'aria-valuenow="{now}"' in html
    assert f"width:{width}" in html


def test_an_unknown_fraction_has_no_value() -> None:
    assert "aria-valuenow" not in bar(None, "progress")


def test_shares_are_of_all_jobs_and_leave_out_states_without_jobs() -> None:
    html = shares({"succeeded": 3, "failed": 1, "canceled": 0})
    assert "succeeded 3 (75.0%)" in html
    assert "failed 1 (25.0%)" in html
    assert "canceled" not in html
    assert "<i" not in shares({})


def test_tiles_have_the_containers_and_then_every_state() -> None:
    html = tiles({state: number * 1_000 for number, state in enumerate(STATES)}, containers=7)
    numbers = re.findall(r"<b>([\d,]+)</b>", html)
    assert numbers == ["7", "0", "1,000", "2,000", "3,000", "4,000", "5,000", "6,000"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [(None, "grace-cccccccccc"), ("grace", "grace-cccccccccc"), ("nightly", "nightly · grace-cccccccccc")],
)
def test_a_title_has_the_name_unless_the_id_begins_with_it(name: str | None, shown: str) -> None:
    assert title(replace(folded(running()), spec=JobSpec(message="hi", name=name))) == shown


def test_progress_is_that_of_the_attempt_in_one_line() -> None:
    job = folded(running())
    assert attempt_progress(None) == attempt_progress(job.attempt) == (None, "")
    assert job.attempt is not None
    progress = Progress(sequence=1, fraction=0.5, message="half\nway", at=T0)
    assert attempt_progress(replace(job.attempt, progress=progress)) == (0.5, "half way")
