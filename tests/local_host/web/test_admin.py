"""Administration of a host: manual runs and queues, and the problems of bad requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.local_host.driving import Served, serving, until

APP = """
import azure.functions as func
app = func.FunctionApp()
seen = []

@app.queue_trigger(arg_name="message", queue_name="Orders", connection="AzureWebJobsStorage")
def on_order(message: func.QueueMessage) -> None:
    seen.append(message.get_body().decode())
    if seen[-1] == "bad":
        raise ValueError("on purpose")
"""


def with_host(tmp_path: Path, talk: Callable[[Served], Awaitable[None]]) -> None:
    async def go() -> None:
        async with serving(tmp_path, APP) as served:
            await talk(served)

    asyncio.run(go())


def test_a_queue_function_runs_once_with_the_given_input(tmp_path: Path, caplog: Any) -> None:
    async def talk(served: Served) -> None:
        seen = served.host.app.functions[0].call.__globals__["seen"]
        url = "/admin/functions/on_order"
        for body in ({"input": "text"}, {"input": {"n": 1}}, {"input": "bad"}):
            assert (await served.client.post(url, json=body, headers=served.master)).status_code == 202
        await until(lambda: len(seen) == 3)
        assert sorted(seen) == ["bad", "text", '{"n": 1}']
        await until(lambda: "Function 'on_order' failed in a manual run." in caplog.text)

    with_host(tmp_path, talk)


def test_a_bad_request_names_what_would_be_valid(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        async def detail(path: str, content: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, str]:
            reply = await served.client.post(path, content=content, headers={**served.master, **(headers or {})})
            return reply.status_code, reply.json()["detail"]

        assert await detail("/admin/functions/other") == (
            404,
            "This app has no timer, change feed or queue function named 'other' (it has: on_order).",
        )
        assert await detail("/admin/functions/on_order", b"[") == (
            400,
            'The body must be JSON such as {"input": "..."}.',
        )
        assert await detail("/runtime/webhooks/queues/other") == (
            404,
            "No function of this app reads the queue 'other' (its queues: orders).",
        )
        status, text = await detail("/runtime/webhooks/queues/orders", headers={"application-properties": "[1]"})
        assert status == 400
        assert "application-properties must be a JSON object" in text
        assert "got '[1]'" in text

    with_host(tmp_path, talk)
