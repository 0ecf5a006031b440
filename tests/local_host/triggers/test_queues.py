"""Queue triggers, over real HTTP and on a virtual clock."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from local_host.app.invocation import Invoker
from local_host.durable.hub import TaskHub
from local_host.triggers.queues import Queues, QueueTrigger
from tests.local_host.driving import loaded, serving, until
from tests.local_host.triggers.driving import hub_and_invoker
from tests.virtual_clock import VirtualClock

QUEUES = """
import azure.functions as func
app = func.FunctionApp()
seen = []
bad = [0]

@app.service_bus_queue_trigger(arg_name="message", queue_name="orders", connection="BUS")
async def on_order(message: func.ServiceBusMessage) -> None:
    seen.append((message.message_id, message.delivery_count, message.get_body().decode(), message.content_type,
                 message.application_properties))
    if bad[0]:
        bad[0] -= 1
        raise ValueError("not now")

@app.queue_trigger(arg_name="message", queue_name="plain", connection="AzureWebJobsStorage")
def on_plain(message: func.QueueMessage) -> None:
    seen.append((message.id, message.dequeue_count, message.get_json()))
"""


def test_queue_messages_arrive_in_order_and_are_then_gone(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, QUEUES) as served:
            seen: list[Any] = served.host.app.functions[0].call.__globals__["seen"]
            url = "/runtime/webhooks/queues/Orders"
            assert (await served.client.post(url, content=b"x")).status_code == 401
            for n in range(3):
                headers = {**served.master, "message-id": f"m{n}", "content-type": "text/plain"}
                headers["application-properties"] = '{"n": 1}'
                sent = await served.client.post(url, content=f"body {n}".encode(), headers=headers)
                assert (sent.status_code, sent.json()) == (201, {"messageId": f"m{n}"})
            await until(lambda: len(seen) == 3)
            assert seen == [(f"m{n}", 1, f"body {n}", "text/plain", {"n": 1}) for n in range(3)]
            sent = await served.client.post("/runtime/webhooks/queues/plain", json=[1], headers=served.master)
            await until(lambda: len(seen) == 4)
            assert seen[3] == (sent.json()["messageId"], 1, [1])
            await until(lambda: not served.host.queues.next_messages("plain", after=0, limit=9))
            unknown = await served.client.post("/runtime/webhooks/queues/none", headers=served.master)
            assert unknown.status_code == 404

    asyncio.run(go())


def test_a_message_is_tried_ten_times_and_then_dead(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, QUEUES) as served:
            module = served.host.app.functions[0].call.__globals__
            module["bad"][0] = 11
            url = "/runtime/webhooks/queues/orders"
            await served.client.post(f"{url}?messageId=poison", content=b"p", headers=served.master)
            await served.client.post(f"{url}?messageId=unlucky", content=b"u", headers=served.master)
            await until(lambda: bool(served.host.queues.dead_letters("orders")))
            [dead] = (await served.client.get(f"{url}/deadletter", headers=served.master)).json()
            assert (dead["body"], dead["deliveryCount"]) in [("p", 10), ("u", 10)]
            assert "10 times" in dead["deadLetterReason"]
            await until(lambda: not served.host.queues.next_messages("orders", after=0, limit=9))
            assert sorted({count for _, count, *_ in module["seen"]}) == list(range(1, 11))

    asyncio.run(go())


def test_a_delivery_that_crashed_the_host_is_counted(tmp_path: Path) -> None:
    app = loaded(tmp_path, QUEUES)
    seen: list[Any] = app.functions[0].call.__globals__["seen"]

    async def go(hub: TaskHub, invoker: Invoker) -> None:
        queues = Queues(hub, VirtualClock())
        queues.send("orders", b"x", message_id="m", content_type=None)
        [message] = queues.next_messages("orders", after=0, limit=9)
        queues.count_delivery(message.number)
        trigger = QueueTrigger(app.functions[0], queues=queues, invoker=invoker, deliveries_max=10, concurrent_max=1)
        task = asyncio.create_task(trigger.run())
        await until(lambda: bool(seen))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert seen[0][1] == 2

    with hub_and_invoker() as (hub, invoker):
        asyncio.run(go(hub, invoker))
