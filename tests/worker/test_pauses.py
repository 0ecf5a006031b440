"""When the worker sends each report: its pauses, on a clock that moves only while the worker sleeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from worker import demo_work, reports
from worker.environment import Environment, ReportAddress
from worker.http_post import Answer
from worker.interruption import Interruption
from worker.output import Output
from worker.reports import GAVE_UP, GO_ON, Reports


@dataclass
class Clock:
    """Stands in for the module `time`, and for what an `Interruption` sleeps."""

    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, *, requested: bool | None = None) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.on_sleep()


class Uninterrupted(Interruption):
    """Sleeping on it advances the clock. It handles no signals."""

    def __init__(self, clock: Clock) -> None:
        self.signal_number = None
        self.stop = None
        self._clock = clock

    def sleep(self, seconds: float, *, requested: bool | None = None) -> None:
        self._clock.sleep(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(reports, "time", clock)
    monkeypatch.setattr(demo_work, "time", clock)
    return clock


@pytest.fixture
def interruption(clock: Clock) -> Uninterrupted:
    return Uninterrupted(clock)


@pytest.fixture
def to_mayfly(environment: dict[str, str], interruption: Uninterrupted) -> Reports:
    return Reports(Environment(environment), interruption)


def answering(monkeypatch: pytest.MonkeyPatch, *answers: Answer, sent: Callable[[], None] = lambda: None) -> None:
    """Answer reports like this; the last answer repeats."""
    left = list(answers)

    def post(address: ReportAddress, **report: Any) -> Answer:
        sent()
        return left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr(reports, "post", post)


def test_the_pauses_double_up_to_ten_seconds(monkeypatch: pytest.MonkeyPatch, clock: Clock, to_mayfly: Reports) -> None:
    answering(monkeypatch, *[Answer(503, None, "")] * 8, Answer(202, None, ""))
    assert to_mayfly.started() == GO_ON
    for pause_s, longest_s in zip(clock.slept, [0.5, 1, 2, 4, 8, 10, 10, 10], strict=True):
        assert longest_s / 2 <= pause_s <= longest_s


def test_retry_after_is_honored(monkeypatch: pytest.MonkeyPatch, clock: Clock, to_mayfly: Reports) -> None:
    answering(monkeypatch, Answer(429, 77.0, ""), Answer(202, None, ""))
    assert to_mayfly.started() == GO_ON
    assert clock.slept == [77.0]


def test_reports_are_retried_for_the_requested_time_and_no_longer(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], clock: Clock, interruption: Uninterrupted
) -> None:
    answering(monkeypatch, Answer(503, None, ""))
    to_mayfly = Reports(Environment({**environment, "MAYFLY_REPORT_SECONDS": "120"}), interruption)
    assert to_mayfly.started() == GAVE_UP
    assert sum(clock.slept) == pytest.approx(120)


def test_after_a_signal_the_worker_retries_only_briefly(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, to_mayfly: Reports, interruption: Uninterrupted
) -> None:
    answering(monkeypatch, Answer(503, 600.0, ""))
    interruption.signal_number = 15
    assert to_mayfly.started() == GAVE_UP
    assert clock.slept == [10.0]


def test_progress_is_sent_once_a_second_at_most_and_the_newest_wins(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, to_mayfly: Reports
) -> None:
    sent: list[tuple[float, str]] = []
    threads: list[Callable[[], None]] = []
    monkeypatch.setattr("worker.reports._thread.start_new_thread", lambda work, _: threads.append(work))

    def post(address: ReportAddress, *, body: bytes, **rest: Any) -> Answer:
        sent.append((clock.now, body.decode().rpartition('"message":"')[2].rstrip('"}')))
        clock.now += 0.25  # it takes a while to be answered
        return Answer(202, None, "")

    def a_few_more() -> None:
        if len(sent) < 4:
            for number in range(5):
                to_mayfly.progress(0.5, f"{number} after {len(sent)}")

    monkeypatch.setattr(reports, "post", post)
    clock.on_sleep = a_few_more
    to_mayfly.progress(0.1, "first")
    (sending,) = threads
    sending()
    assert [message for _, message in sent] == ["first", "4 after 1", "4 after 2", "4 after 3"]
    assert [after - before for (before, _), (after, _) in pairwise(sent)] == [1.0, 1.0, 1.0]
    assert threads == [sending], "one thread sends all of them"


def test_a_silent_worker_sends_heartbeats_at_the_requested_interval(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, to_mayfly: Reports
) -> None:
    said: list[float] = []
    begun = clock.now
    threads: list[tuple[Callable[..., None], Any]] = []
    monkeypatch.setattr("worker.reports._thread.start_new_thread", lambda *started: threads.append(started))

    def heard(report: object) -> None:
        said.append(clock.now - begun)
        to_mayfly._sent_at = clock.now

    def other_news() -> None:
        if clock.now - begun == 120:
            to_mayfly._sent_at = clock.now - 10  # as after its own report
        to_mayfly._ended = len(said) == 5

    monkeypatch.setattr(to_mayfly, "_queue", heard)
    clock.on_sleep = other_news
    to_mayfly.start_heartbeat(30.0)
    ((work, arguments),) = threads
    work(*arguments)
    assert said == [30, 60, 90, 140, 170]


def test_a_worker_without_an_interval_sends_no_heartbeats(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], to_mayfly: Reports
) -> None:
    monkeypatch.setattr("worker.reports._thread.start_new_thread", lambda *_: pytest.fail("a thread was started"))
    to_mayfly.start_heartbeat(Environment(environment).heartbeat_s)


def test_the_demo_work_takes_the_requested_time(clock: Clock, interruption: Uninterrupted) -> None:
    with open("/dev/null", "wb") as nowhere:
        ending = demo_work.run_demo_work(
            "hello",
            seconds=1.5,
            output=Output(descriptor=nowhere.fileno()),
            on_progress=lambda *_: None,
            interruption=interruption,
        )
    assert ending.exit_code == 0
    assert len(clock.slept) == 30
    assert sum(clock.slept) == pytest.approx(1.5)


def test_a_signal_since_the_last_check_is_not_slept_through() -> None:
    interruption = Interruption.__new__(Interruption)  # without its handlers, which need a separate process
    interruption.signal_number, interruption.stop = 15, None
    interruption.sleep(86_400, requested=False)
