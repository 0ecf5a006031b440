"""`mayfly show`: a job on one screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mayfly.cli.job_page import print_job
from mayfly.jobs.job import Job
from tests.mayfly.cli.streams import failed, folded, running, succeeded


def _shown(job: Job, capsys: pytest.CaptureFixture[str]) -> str:
    print_job(job)
    return capsys.readouterr().out


def test_only_the_end_of_a_long_output_is_shown_with_the_command_for_all_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = replace(folded(succeeded()), output="".join(f"line {number}\n" for number in range(1, 31)))
    text = _shown(job, capsys)
    assert "last 20 lines of output  (all: mayfly logs ada-aaaaaaaaaa)" in text
    assert "line 11\n" in text
    assert "line 10\n" not in text
    assert "end of the output" in _shown(replace(job, output="short\n"), capsys)


def test_output_and_results_are_printed_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    job = replace(folded(succeeded()), output="\x1b[2J[red]x[/red]\n", result={"markup": "[bold]"})
    text = _shown(job, capsys)
    assert "\x1b" not in text
    assert "�[2J[red]x[/red]" in text
    assert '"markup": "[bold]"' in text


def test_an_attempt_has_the_times_from_request_to_claim_and_from_claim_to_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = _shown(folded(failed()), capsys)
    (row,) = [line for line in text.splitlines() if "alan-bbbbbbbbbb-1-local" in line]
    assert row.split()[:3] == ["1", "failed", "gone"]
    assert row.count("1.0 s") == 2
    assert "exit: the command exited with code 3" in row


def test_a_job_that_runs_has_no_end_yet(capsys: pytest.CaptureFixture[str]) -> None:
    text = _shown(folded(running()), capsys)
    (row,) = [line for line in text.splitlines() if "grace-cccccccccc-1-local" in line]
    assert row.split()[:3] == ["1", "open", "present"]
    assert "result" not in text
