"""Interrupt the work: by a signal from the platform, the end of a child process, or an answer that means stop.

All of them write to one pipe, so the worker sleeps in `select` and never polls. The kernel ignores SIGTERM for PID 1
of a container unless a handler is installed, so the handlers are installed first.
"""

from __future__ import annotations

import os
import select
import time

from worker.c_modules import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from worker.reports import Verdict


class Interruption:
    """The signal handlers of the process, and the reason to stop.

    Shapes: `signal_number` is the last SIGTERM or SIGINT, or None. `stop` is the verdict that ended the work, or None.
    Until `claimed` is set, a signal ends the process immediately with exit code 128 + its number, because Mayfly does
    not expect a report from it.
    """

    def __init__(self) -> None:
        self.claimed = False
        self.signal_number: int | None = None
        self.stop: Verdict | None = None
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        # The end of a child process writes to the pipe only if SIGCHLD has a handler.
        signal.signal(signal.SIGCHLD, lambda *_: None)

    @property
    def requested(self) -> bool:
        """Whether the work should stop."""
        return self.signal_number is not None or self.stop is not None

    def request_stop(self, reason: Verdict) -> None:
        """Stop the work. Safe to call from another thread."""
        self.stop = reason
        os.write(self._writer, b"\0")

    def wait(self, timeout_s: float | None, *others: int) -> list[int]:
        """Wait until one of the file descriptors `others` is readable, an interruption, or the timeout.

        Shapes: the readable ones of `others`; empty after an interruption or the timeout. `timeout_s` None: no timeout.
        """
        ready = select.select([self._reader, *others], [], [], timeout_s)[0]
        if self._reader in ready:
            ready.remove(self._reader)
            os.read(self._reader, 4096)
        return ready

    def sleep(self, seconds: float, *, requested: bool | None = None) -> None:
        """Sleep that long, or until a stop is requested for the first time.

        `requested`: whether one had been when the caller last checked, so that one in between is not slept through.
        """
        before, end = self.requested if requested is None else requested, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self.requested == before:
            self.wait(left)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.signal_number = number
        if not self.claimed:
            raise SystemExit(128 + number)
