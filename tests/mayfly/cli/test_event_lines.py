"""Every kind of event fits on one line of a terminal."""

from __future__ import annotations

import pytest

from mayfly.cli.event_lines import event_line
from mayfly.jobs import events as e
from tests.mayfly.jobs.samples import JOB_ID, ONE_OF_EACH, event


@pytest.mark.parametrize("body", ONE_OF_EACH, ids=lambda body: type(body).__name__)
def test_an_event_is_one_line_with_its_time_its_job_and_its_type(body: e.Body) -> None:
    at, job, kind = event_line(event(body)).plain.split()[:3]
    assert "\n" not in event_line(event(body)).plain
    assert (at.count(":"), job, kind) == (2, JOB_ID, type(body).__name__)


def test_names_that_differ_in_length_leave_the_types_in_one_column() -> None:
    lines = [event_line(event(e.JobCanceled()), job=name, job_width=12).plain for name in ("ada", "katherine-17")]
    assert len({line.index("JobCanceled") for line in lines}) == 1
    assert JOB_ID not in lines[0]


def test_markup_in_an_event_is_text() -> None:
    line = event_line(event(e.CancelRequested(reason="[bold]no[/bold]")))
    assert "[bold]no[/bold]" in line.plain
