"""Signals, ended children and requests to stop all wake the worker, and none is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator

import pytest

from worker.interruption import Interruption

_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


@pytest.fixture
def interruption() -> Iterator[Interruption]:
    """An interruption in this process, whose own handlers come back afterward."""
    handlers = {number: signal.getsignal(number) for number in _HANDLED}
    wakeup = signal.set_wakeup_fd(-1)
    interruption = Interruption()
    yield interruption
    for number, handler in handlers.items():
        signal.signal(number, handler)
    signal.set_wakeup_fd(wakeup)
    os.close(interruption._reader)
    os.close(interruption._writer)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_before_the_claim_a_signal_ends_the_process(interruption: Interruption, number: int) -> None:
    with pytest.raises(SystemExit) as exited:
        send(number)
    assert exited.value.code == 128 + number


def test_after_the_claim_a_signal_is_noted_and_wakes_whatever_waits(interruption: Interruption) -> None:
    interruption.claimed = True
    send(signal.SIGTERM)
    assert interruption.wait(None) == []
    assert (interruption.requested, interruption.signal_number) == (True, signal.SIGTERM)


def test_a_stop_from_another_thread_wakes_whatever_waits(interruption: Interruption) -> None:
    stopping = threading.Thread(target=interruption.request_stop, args=("stop",))
    stopping.start()
    assert interruption.wait(None) == []
    stopping.join()
    assert (interruption.requested, interruption.stop) == (True, "stop")


def test_the_end_of_a_child_wakes_whatever_waits(interruption: Interruption) -> None:
    with subprocess.Popen(["true"]):
        assert interruption.wait(None) == []
    assert not interruption.requested


def test_what_can_be_read_is_returned(interruption: Interruption) -> None:
    reader, writer = os.pipe()
    try:
        os.write(writer, b"data")
        assert interruption.wait(None, reader) == [reader]
        os.read(reader, 4)
        assert interruption.wait(0, reader) == []
    finally:
        os.close(reader)
        os.close(writer)


def test_a_stop_ends_a_sleep(interruption: Interruption) -> None:
    stopping = threading.Timer(0.05, interruption.request_stop, args=("stop",))
    stopping.start()
    interruption.sleep(86_400)
    stopping.join()
    assert interruption.requested
