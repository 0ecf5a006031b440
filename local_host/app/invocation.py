"""How is a user's function called? Async functions run on the event loop, sync functions in a bounded thread pool.

Source: learn.microsoft.com/azure/azure-functions/python-scale-performance-reference (PYTHON_THREADPOOL_THREAD_COUNT,
by default the number of cores plus 4).
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.functions as func

from local_host.app.functions import Function
from local_host.clock import Clock

log = logging.getLogger("local_host.app.invocation")


class Invoker:
    """Calls functions. `close` does not wait for threads that are still running."""

    def __init__(self, *, directory: Path, client_binding: str) -> None:
        """`client_binding` is the JSON text that durable-client parameters receive."""
        self._directory = directory
        self._client_binding = client_binding
        self._threads = ThreadPoolExecutor(max_workers=_threads_max(), thread_name_prefix="function")

    async def call(self, function: Function, argument: Any, *, retry: tuple[int, int] | None = None) -> Any:
        """Call a function with the value of its trigger, and return its result.

        Shapes: `retry` holds the number of retries so far and the maximum, -1 for no limit; `None` without a policy.

        Errors: those that the function raises.
        """
        arguments = {function.parameter: argument}
        for client in function.clients:
            arguments[client] = self._client_binding
        if function.takes_context:
            arguments["context"] = InvocationContext(function.name, self._directory, retry)
        if function.is_async:
            return await function.call(**arguments)
        in_context = partial(contextvars.copy_context().run, function.call, **arguments)
        return await asyncio.get_running_loop().run_in_executor(self._threads, in_context)

    async def call_with_retries(self, function: Function, argument: Any, clock: Clock, *, on: str = "") -> bool:
        """Call a function until it succeeds or its retry policy gives up; return whether it succeeded.

        Shapes: `on` completes the sentence "Function 'name' failed" in the log, such as " on document 7".
        """
        policy = function.retry
        failures = 0
        while True:
            try:
                await self.call(function, argument, retry=None if policy is None else (failures, policy.retries_max))
                return True
            except Exception:
                failures += 1
                delay = None if policy is None else policy.delay(failures)
                next_try = "giving up" if delay is None else f"next try in {delay.total_seconds():g} s"
                log.exception("Function '%s' failed%s (%s in a row); %s.", function.name, on, failures, next_try)
                if delay is None:
                    return False
                await clock.sleep_until(clock.now() + delay)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class InvocationContext(func.Context):  # type: ignore[misc]  # the SDK carries no types
    """The value of a function's `context` parameter."""

    def __init__(self, name: str, directory: Path, retry: tuple[int, int] | None) -> None:
        self._name = name
        self._directory = directory
        self._invocation_id = str(uuid.uuid4())
        self._local = threading.local()
        self._local.invocation_id = self._invocation_id
        self._retry = (
            None if retry is None else SimpleNamespace(exception=None, retry_count=retry[0], max_retry_count=retry[1])
        )

    @property
    def invocation_id(self) -> str:
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        return self._local

    @property
    def function_name(self) -> str:
        return self._name

    @property
    def function_directory(self) -> str:
        return str(self._directory)

    @property
    def trace_context(self) -> Any:
        # Empty: this host does not trace, but functions may pass the fields on.
        return SimpleNamespace(trace_state="", trace_parent="", attributes={})

    @property
    def retry_context(self) -> Any:
        return self._retry


def _threads_max() -> int:
    given = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    return int(given) if given.isdigit() and int(given) > 0 else (os.cpu_count() or 1) + 4
