"""What may break into the work: a signal from the platform, a child that ended, an answer that says stop.

One pipe wakes whoever waits, so that the worker sleeps in `select` and never polls. As PID 1 of a container the
kernel would ignore SIGTERM unless it is handled, therefore the handlers are there from the first moment.
"""

from __future__ import annotations

import os
import select
import time

from worker.lean import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


class Interruption:
    """`signal_number`: the last SIGTERM or SIGINT. `stop`: why an answer told the worker to stop, or None.

    Until `claimed` is set a signal ends the process at once with 128 + its number: nobody waits for its report.
    """

    def __init__(self) -> None:
        self.claimed = False
        self.signal_number: int | None = None
        self.stop: str | None = None
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        # Only with a handler does the end of a child write to the pipe.
        signal.signal(signal.SIGCHLD, _nothing)

    @property
    def requested(self) -> bool:
        return self.signal_number is not None or self.stop is not None

    def request_stop(self, reason: str) -> None:
        """Tell whoever waits to stop. Safe to call from another thread."""
        self.stop = reason
        os.write(self._writer, b"\0")

    def wait(self, timeout_s: float | None, *others: int) -> list[int]:
        """Sleep until one of the file descriptors `others` can be read, something breaks in, or the time is up.

        Shapes: the readable ones among `others`; empty for the other two.
        """
        try:
            ready = select.select([self._reader, *others], [], [], timeout_s)[0]
        except InterruptedError:  # pragma: no cover - the handler did not raise, so look again
            return []
        if self._reader in ready:
            ready.remove(self._reader)
            try:  # noqa: SIM105 - contextlib costs 2 ms to import
                os.read(self._reader, 4096)
            except BlockingIOError:
                pass
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


def _nothing(number: int, _frame: FrameType | None) -> None:
    pass
