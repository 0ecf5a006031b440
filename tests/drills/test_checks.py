"""The checks of a demo find the faults that they are for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from drills import checks
from mayfly.jobs.events import Event
from tests.mayfly.cli.streams import folded, running, succeeded

ADA = "ada-aaaaaaaaaa"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda stream: stream[:2] + stream[3:],
        lambda stream: [*stream, stream[-1]],
        lambda stream: stream[::-1],
        lambda stream: stream[:0],
    ],
    ids=["a gap", "a duplicate", "another order", "nothing"],
)
def test_a_stream_that_is_not_gapless_is_found(spoil: Callable[[list[Event]], list[Event]]) -> None:
    assert not checks.streams_are_gapless({ADA: spoil(succeeded())}).ok


def test_a_second_claim_is_found() -> None:
    stream = succeeded()
    claim = next(event for event in stream if event.type == "WorkerStarted")

    assert not checks.attempts_are_claimed_once({ADA: [*stream, replace(claim, position=99)]}).ok


def test_a_report_without_a_claim_is_found() -> None:
    stream = [event for event in succeeded() if event.type != "WorkerStarted"]

    assert not checks.attempts_are_claimed_once({ADA: stream}).ok


def test_a_container_that_is_still_there_is_found() -> None:
    job = folded(running())

    assert not checks.containers_are_gone({job.job_id: job}).ok


def test_a_directory_that_is_left_is_found(tmp_path: Path) -> None:
    (tmp_path / "containers" / ".gone-x").mkdir(parents=True)
    assert checks.no_container_directory_is_left(tmp_path).ok

    (tmp_path / "containers" / f"{ADA}-1-local").mkdir()
    assert not checks.no_container_directory_is_left(tmp_path).ok
