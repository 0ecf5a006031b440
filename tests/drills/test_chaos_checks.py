"""The checks of a chaos run find the faults that they are for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from drills import chaos_checks, checks
from drills.planned_job import PlannedJob
from tests.mayfly.cli.streams import documents, folded, running, succeeded

ADA = "ada-aaaaaaaaaa"
_PLANNED = PlannedJob(document={"name": "command", "command": ["true"]}, state="succeeded", result={"n": 1})


def test_a_good_stream_passes_every_check() -> None:
    streams = {ADA: succeeded()}
    jobs = {ADA: folded(streams[ADA])}

    assert checks.streams_are_gapless(streams).ok
    assert checks.attempts_are_claimed_once(streams).ok
    assert checks.containers_are_gone(jobs).ok
    assert chaos_checks.outcomes_are_right({ADA: _PLANNED}, jobs, 1).ok
    assert chaos_checks.log_has_no_duplicates(documents(streams[ADA]), streams).ok
    assert chaos_checks.views_equal_their_streams(jobs, jobs).ok


def test_a_wrong_outcome_is_found() -> None:
    job = folded(succeeded())

    for wrong in (
        replace(_PLANNED, state="failed"),
        replace(_PLANNED, attempts=2),
        replace(_PLANNED, error="exit"),
        replace(_PLANNED, result=None),
    ):
        assert not chaos_checks.outcomes_are_right({ADA: wrong}, {ADA: job}, 1).ok
    assert not chaos_checks.outcomes_are_right({ADA: _PLANNED}, {ADA: job}, 2).ok
    assert not chaos_checks.outcomes_are_right({ADA: _PLANNED}, {}, 1).ok


def test_an_unexpected_job_is_found() -> None:
    job = folded(succeeded("tony-dddddddddd"))

    assert not chaos_checks.no_job_is_unexpected({ADA: _PLANNED}, {job.job_id: job}).ok


def test_a_view_that_lags_or_is_missing_is_found() -> None:
    stream = succeeded()
    job, before = folded(stream), folded(stream[:-1])

    assert not chaos_checks.views_equal_their_streams({ADA: before}, {ADA: job}).ok
    assert not chaos_checks.views_equal_their_streams({}, {ADA: job}).ok


def test_an_event_that_the_log_holds_twice_is_found() -> None:
    stream = succeeded()
    whole = documents(stream)

    assert not chaos_checks.log_has_no_duplicates([*whole, whole[0]], {ADA: stream}).ok
    assert not chaos_checks.log_has_no_duplicates([], {ADA: stream}).ok


@pytest.mark.parametrize(("lines", "ok"), [(0, False), (1, True), (2, False)])
def test_a_reported_command_must_have_run_once(lines: int, ok: bool, tmp_path: Path) -> None:
    if lines:
        (tmp_path / f"{ADA}.1").write_text("ran\n" * lines)

    assert chaos_checks.attempts_ran_once({ADA: _PLANNED}, {ADA: folded(succeeded())}, tmp_path).ok is ok


@pytest.mark.parametrize(("lines", "ok"), [(0, True), (1, True), (2, False)])
def test_a_claimed_command_may_not_have_run_yet(lines: int, ok: bool, tmp_path: Path) -> None:
    if lines:
        (tmp_path / f"{ADA}.1").write_text("ran\n" * lines)

    assert chaos_checks.attempts_ran_once({ADA: _PLANNED}, {ADA: folded(running(ADA))}, tmp_path).ok is ok


def test_a_run_of_an_unknown_attempt_is_found(tmp_path: Path) -> None:
    (tmp_path / f"{ADA}.1").write_text("ran\n")
    (tmp_path / f"{ADA}.2").write_text("ran\n")

    assert not chaos_checks.attempts_ran_once({ADA: _PLANNED}, {ADA: folded(succeeded())}, tmp_path).ok
