"""Jobs on a terminal while they run, and their outcomes at the end."""

from __future__ import annotations

import pytest

from mayfly.cli.event_screen import event_line, print_outcomes
from mayfly.jobs import events as e
from mayfly.jobs.job import Job
from tests.mayfly.cli.streams import failed, folded, running, succeeded
from tests.mayfly.jobs.samples import JOB_ID, ONE_OF_EACH, event


def _printed(jobs: list[Job], capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_outcomes(jobs)
    return capsys.readouterr().out.splitlines()


def test_few_jobs_are_listed_one_by_one_with_a_total(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [folded(succeeded()), folded(failed()), folded(running())]
    _, first, second, third, total = _printed(jobs, capsys)
    assert "✔ succeeded" in first
    assert '{"n": 1}' in first
    assert "exit: the command exited with code 3" in second
    assert "◑ running" in third
    assert " ".join(total.split()) == "2 of 3 over 1 ✔ succeeded 1 ✘ failed 1 ◑ running"


def test_of_many_jobs_only_those_that_did_not_succeed_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [folded(succeeded(f"ada-aaaaaaaaa{letter}")) for letter in "abcdefghijklm"]
    (total,) = _printed(jobs, capsys)
    assert " ".join(total.split()) == "13 of 13 over 13 ✔ succeeded"
    _, row, total = _printed([*jobs, folded(failed())], capsys)
    assert row.startswith("alan-bbbbbbbbbb")
    assert "1 ✘ failed" in total


def test_a_single_job_needs_no_total(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(_printed([folded(succeeded())], capsys)) == 2


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
