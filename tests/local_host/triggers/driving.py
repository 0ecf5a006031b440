"""What do tests of triggers share? A task hub in memory, an invoker, and an app with change feed functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_host.app.invocation import Invoker
from local_host.durable.hub import TaskHub

FEEDS = """
import azure.functions as func
app = func.FunctionApp()
batches = []
faults = []

@app.cosmos_db_trigger(arg_name="docs", connection="FEED", database_name="d", container_name="events",
                       start_from_beginning=True, max_items_per_invocation=3)
@app.retry(strategy="exponential_backoff", max_retry_count="2", minimum_interval="00:00:01",
           maximum_interval="00:01:00")
async def patient(docs: func.DocumentList) -> None:
    batches.append([doc["n"] for doc in docs])
    if faults:
        raise faults.pop()

@app.cosmos_db_trigger(arg_name="docs", connection="FEED", database_name="d", container_name="events")
async def from_now(docs: func.DocumentList) -> None:
    batches.append([doc["n"] for doc in docs])
    if faults:
        raise faults.pop()
"""


@contextmanager
def hub_and_invoker() -> Iterator[tuple[TaskHub, Invoker]]:
    hub = TaskHub()
    invoker = Invoker(directory=Path(), client_binding="{}")
    try:
        yield hub, invoker
    finally:
        invoker.close()
        hub.close()
