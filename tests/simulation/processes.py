"""Coroutines that are stepped by hand: at each `await` of a port, others may run first, or the process may be killed.

No event loop is involved. A coroutine yields the thing that it waits for (nothing, a time, or a signal), and the
scheduler chooses the next one to run.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator
from datetime import datetime
from typing import Any


class Signal:
    """A value that is set once."""

    __slots__ = ("is_set", "value")

    def __init__(self) -> None:
        self.is_set = False
        self.value: Any = None

    def tell(self, value: Any) -> None:
        if not self.is_set:
            self.is_set, self.value = True, value


Awaited = datetime | Signal | None
"""The thing that a process waits for; None: only its turn."""


@types.coroutine
def _give_way(awaited: Awaited) -> Generator[Awaited, None, None]:
    yield awaited


async def take_turns() -> None:
    """Let others go first."""
    await _give_way(None)


async def sleep_until(at: datetime) -> None:
    """Wait for a time."""
    await _give_way(at)


async def hang() -> None:
    """Wait forever."""
    await _give_way(Signal())


async def wait_for(signal: Signal) -> Any:
    """Wait for a signal and return its value."""
    await _give_way(signal)
    return signal.value


class Process:
    """One running coroutine."""

    __slots__ = ("_coroutine", "_on_end", "awaits", "host", "label", "over")

    def __init__(
        self,
        label: str,
        coroutine: Coroutine[Any, Any, Any],
        *,
        host: bool,
        on_end: Callable[[Any], None] = lambda _: None,
    ) -> None:
        """`host`: it dies with the host. `on_end` is given what was returned; None when it was killed."""
        self.label = label
        self.host = host
        self.awaits: Awaited = None
        self.over = False
        self._coroutine = coroutine
        self._on_end = on_end

    def ready(self, now: datetime) -> bool:
        if self.awaits is None:
            return True
        return self.awaits.is_set if isinstance(self.awaits, Signal) else self.awaits <= now

    def step(self) -> None:
        """Run to the next wait or to the end. Errors: those of the coroutine."""
        try:
            self.awaits = self._coroutine.send(None)
        except StopIteration as stop:
            self.over = True
            self._on_end(stop.value)
        except BaseException:
            self.over = True
            raise

    def kill(self) -> None:
        """End it at its current wait, as a crash does."""
        if not self.over:
            self.over = True
            self._coroutine.close()
            self._on_end(None)
