"""The demo work is that of the sample: a chain of hashes that runs to its end or stops between two lines."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from worker.demo_work import run_demo_work
from worker.interruption import Interruption
from worker.outcome import Outcome
from worker.output import Output

HASHES = ["5d41402abc4b2a76b9719d911017c592", "69a329523ce1ec88bf63061863d9cb14"]


class StopsAfter(Interruption):
    """Sleeps for no time, and requests a stop after some sleeps. It handles no signals."""

    def __init__(self, sleeps: int) -> None:
        self.signal_number = None
        self.stop = None
        self._left = sleeps

    def sleep(self, seconds: float, **_: object) -> None:
        self._left -= 1
        self.stop = None if self._left else "stop"


@pytest.fixture
def output() -> Iterator[Output]:
    with open(os.devnull, "wb") as nowhere:
        yield Output(descriptor=nowhere.fileno())


def run(output: Output, *, seconds: float, stops_after: int = 0) -> tuple[Outcome, list[tuple[float | None, str]]]:
    progress: list[tuple[float | None, str]] = []
    outcome = run_demo_work(
        "hello",
        seconds=seconds,
        output=output,
        on_progress=lambda fraction, message: progress.append((fraction, message)),
        interruption=StopsAfter(stops_after),
    )
    return outcome, progress


def test_each_line_is_the_hash_of_the_one_before(output: Output) -> None:
    outcome, progress = run(output, seconds=0.1)
    assert output.tail().split() == HASHES
    assert (outcome.exit_code, outcome.result) == (0, f'{{"hash":"{HASHES[1]}"}}')
    assert progress == [(0.5, "line 1 of 2"), (1.0, "line 2 of 2")]
    assert outcome.memory_peak_bytes > 1_000_000


def test_without_time_there_is_one_line_and_no_progress(output: Output) -> None:
    outcome, progress = run(output, seconds=0)
    assert (output.tail().split(), outcome.exit_code, progress) == (HASHES[:1], 0, [])


def test_a_stop_takes_effect_between_two_lines(output: Output) -> None:
    outcome, _ = run(output, seconds=600, stops_after=2)
    assert output.tail().split() == HASHES
    assert (outcome.error_class, outcome.exit_code, outcome.result) == ("terminated", None, "null")
    assert outcome.error_message == "stopped after line 2 of 12000"
