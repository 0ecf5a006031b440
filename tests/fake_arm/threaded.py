"""The fake's server on a separate thread, for a synchronous test whose host is another process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar

from tests.fake_arm.arm import FakeArm
from tests.fake_arm.server import serving
from tests.waiting import HANG_GUARD_S

T = TypeVar("T")


async def _nothing() -> None:
    pass


@contextmanager
def serving_on_a_thread(arm: FakeArm, *, finish: Callable[[], Awaitable[None]] = _nothing) -> Iterator[str]:
    """Serve until the block is left; the value is the endpoint's address.

    `finish`: runs on the same thread when the block is left, to end the containers.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fake platform")
    thread.start()

    def run(coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(HANG_GUARD_S)

    async def close() -> None:
        await finish()
        await stack.aclose()

    stack = AsyncExitStack()
    try:
        yield run(stack.enter_async_context(serving(arm)))
    finally:
        run(close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(HANG_GUARD_S)
        loop.close()
