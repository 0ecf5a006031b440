"""Wait for a condition.

No result depends on how long something takes: the machine may be slow and busy. `HANG_GUARD_S` bounds every wait only
so that a hang ends with a message; it is far longer than a working program needs.
`tests/repository/test_speed.py` keeps other time limits out of the tests.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HANG_GUARD_S = 300.0
"""How long any wait may last before it is taken for a hang. The guard of a whole test is in pyproject.toml."""
HANG_GUARD_MS = HANG_GUARD_S * 1_000

_POLL_S = 0.01


def until(condition: Callable[[], object], *, shown: Callable[[], object] = lambda: "") -> None:
    """Wait until `condition()` is true.

    Errors: AssertionError after `HANG_GUARD_S`, with what `shown()` returns.
    """
    give_up = time.monotonic() + HANG_GUARD_S
    while not condition():
        if time.monotonic() > give_up:
            raise AssertionError(f"waited in vain for {HANG_GUARD_S:g} s {shown()}")
        time.sleep(_POLL_S)


async def until_async(condition: Callable[[], object]) -> None:
    """Wait until `condition()` is true while other tasks of the event loop run.

    Errors: TimeoutError after `HANG_GUARD_S`.
    """
    async with asyncio.timeout(HANG_GUARD_S):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(_POLL_S)


class Gate:
    """Holds a shell command at `wait` until the test lets it pass.

    `f"{gate.wait}; echo passed"` prints once `let_pass` was called; each `wait` takes one call.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.wait = f"read -r _ <{shlex.quote(str(path))}"
        # Open in both directions, so that neither side blocks in open(2) until the other opens it.
        self._fifo = os.open(path, os.O_RDWR)

    def let_pass(self) -> None:
        """Let the command pass its next `wait`, now or when it comes to it."""
        os.write(self._fifo, b"\n")

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._fifo)


@contextmanager
def gate_at(path: Path) -> Iterator[Gate]:
    """Make a gate at `path`, for a block."""
    gate = Gate(path)
    try:
        yield gate
    finally:
        gate.close()
