"""Timer, change feed and queue triggers, on a virtual clock."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local_host.app.functions import FEED, TIMER
from local_host.app.invocation import Invoker
from local_host.app.loading import LoadedApp
from local_host.clock import VirtualClock
from local_host.durable.hub import TaskHub
from local_host.triggers.feeds import FeedTrigger
from local_host.triggers.queues import Queues, QueueTrigger
from local_host.triggers.timers import TimerTrigger
from tests.local_host.driving import loaded, serving, until

TIMERS = """
import azure.functions as func
app = func.FunctionApp()
runs = []
faults = []

@app.timer_trigger(schedule="0 0 * * * *", arg_name="t")
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:10")
async def hourly(t: func.TimerRequest, context: func.Context) -> None:
    runs.append((t.past_due, context.retry_context.retry_count))
    if faults:
        raise faults.pop()
"""

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


@contextmanager
def hub_and_invoker() -> Iterator[tuple[TaskHub, Invoker]]:
    hub = TaskHub()
    invoker = Invoker(directory=Path(), client_binding=lambda: "{}")
    try:
        yield hub, invoker
    finally:
        invoker.close()
        hub.close()


def timer_of(app: LoadedApp, hub: TaskHub, clock: VirtualClock, invoker: Invoker) -> TimerTrigger:
    [function] = [each for each in app.functions if each.kind == TIMER]
    return TimerTrigger(function, hub=hub, clock=clock, invoker=invoker)


def test_a_timer_runs_at_each_full_hour(tmp_path: Path) -> None:
    app = loaded(tmp_path, TIMERS)
    runs: list[Any] = app.functions[0].call.__globals__["runs"]

    async def go(hub: TaskHub, invoker: Invoker) -> None:
        clock = VirtualClock()
        started = clock.now()
        task = asyncio.create_task(timer_of(app, hub, clock, invoker).run())
        await until(lambda: len(runs) == 24, clock)
        task.cancel()
        assert clock.now() - started == timedelta(hours=24)
        assert runs == [(False, 0)] * 24

    with hub_and_invoker() as (hub, invoker):
        asyncio.run(go(hub, invoker))


def test_a_run_that_was_missed_while_the_host_was_down_is_made_up_for_once(tmp_path: Path) -> None:
    app = loaded(tmp_path, TIMERS)
    runs: list[Any] = app.functions[0].call.__globals__["runs"]

    async def go(hub: TaskHub, invoker: Invoker) -> None:
        clock = VirtualClock()
        first = asyncio.create_task(timer_of(app, hub, clock, invoker).run())
        await until(lambda: len(runs) == 1, clock)
        await until(lambda: clock.next_alarm() is not None)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        clock.advance(timedelta(hours=5, minutes=30))
        second = asyncio.create_task(timer_of(app, hub, clock, invoker).run())
        await until(lambda: len(runs) == 2)
        assert runs[1] == (True, 0)
        await until(lambda: len(runs) == 3, clock)
        assert runs[2] == (False, 0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)

    with hub_and_invoker() as (hub, invoker):
        asyncio.run(go(hub, invoker))


def test_a_timer_that_fails_is_retried_as_its_policy_says(tmp_path: Path) -> None:
    app = loaded(tmp_path, TIMERS)
    module = app.functions[0].call.__globals__
    module["faults"].extend([ValueError("b"), ValueError("a")])

    async def go(hub: TaskHub, invoker: Invoker) -> None:
        clock = VirtualClock()
        started = clock.now()
        fire = asyncio.create_task(timer_of(app, hub, clock, invoker).fire())
        await until(fire.done, clock)
        assert module["runs"] == [(False, 0), (False, 1), (False, 2)]
        assert clock.now() - started == timedelta(seconds=20)

    with hub_and_invoker() as (hub, invoker):
        asyncio.run(go(hub, invoker))


class Feed:
    """A feed function, its file and its clock."""

    def __init__(self, tmp_path: Path, name: str, hub: TaskHub, invoker: Invoker) -> None:
        self.path = tmp_path / "log.db"
        self.app = loaded(tmp_path, FEEDS)
        self.clock = VirtualClock()
        [self.function] = [each for each in self.app.functions if each.kind == FEED and each.name == name]
        self.hub = hub
        self.invoker = invoker
        self.batches: list[list[int]] = self.function.call.__globals__["batches"]
        self.faults: list[Exception] = self.function.call.__globals__["faults"]
        self.trigger = self.again()

    def again(self) -> FeedTrigger:
        return FeedTrigger(
            self.function,
            settings={"FEED": f"sqlite:{self.path}"},
            hub=self.hub,
            clock=self.clock,
            invoker=self.invoker,
        )

    def write(self, *numbers: int) -> None:
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS events(_lsn INTEGER PRIMARY KEY, document TEXT NOT NULL)")
            db.executemany("INSERT INTO events VALUES(?,?)", [(n, json.dumps({"id": str(n), "n": n})) for n in numbers])

    async def drain(self) -> None:
        while True:
            deliver = asyncio.create_task(self.trigger.deliver())
            await until(deliver.done, self.clock)
            if not deliver.result():
                return


@contextmanager
def feeding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[Feed]:
    monkeypatch.setenv("FEED", f"sqlite:{tmp_path / 'log.db'}")
    with hub_and_invoker() as (hub, invoker):
        feed = Feed(tmp_path, name, hub, invoker)
        yield feed
        feed.trigger.close()


def test_a_feed_waits_for_its_file_and_delivers_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go(feed: Feed) -> None:
        await feed.drain()
        feed.write(1, 2, 5, 6, 9, 10, 11)
        await feed.drain()
        assert feed.batches == [[1, 2, 5], [6, 9, 10], [11]]
        await feed.drain()
        feed.write(12)
        await feed.drain()
        assert feed.batches[3:] == [[12]]

    with feeding(tmp_path, monkeypatch, "patient") as feed:
        asyncio.run(go(feed))


def test_a_feed_goes_on_where_it_was_and_without_its_hub_from_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def go(feed: Feed) -> None:
        feed.write(1, 2)
        await feed.drain()
        feed.trigger.close()
        feed.trigger = feed.again()
        feed.write(3)
        await feed.drain()
        assert feed.batches == [[1, 2], [3]]
        feed.hub.db.execute("DELETE FROM feeds")
        feed.trigger.close()
        feed.trigger = feed.again()
        await feed.drain()
        assert feed.batches[2:] == [[1, 2, 3]]

    with feeding(tmp_path, monkeypatch, "patient") as feed:
        asyncio.run(go(feed))


def test_a_feed_from_now_leaves_out_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go(feed: Feed) -> None:
        feed.write(1, 2)
        await feed.drain()
        feed.write(3)
        await feed.drain()
        assert feed.batches == [[3]]

    with feeding(tmp_path, monkeypatch, "from_now") as feed:
        asyncio.run(go(feed))


def test_a_batch_that_fails_comes_again_with_growing_pauses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go(feed: Feed) -> None:
        feed.write(1, 2)
        feed.faults.extend([ValueError("x"), ValueError("y")])
        started = feed.clock.now()
        await feed.drain()
        assert feed.batches == [[1, 2]] * 3
        assert feed.clock.now() - started == timedelta(seconds=3)

    with feeding(tmp_path, monkeypatch, "patient") as feed:
        asyncio.run(go(feed))


def test_without_a_policy_a_batch_that_fails_is_skipped_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def go(feed: Feed) -> None:
        feed.write(1)
        await feed.drain()
        feed.faults.append(ValueError("x"))
        feed.write(2)
        feed.write(3)
        await feed.drain()
        feed.write(4)
        await feed.drain()
        assert feed.batches == [[2, 3], [4]]

    with feeding(tmp_path, monkeypatch, "from_now") as feed:
        asyncio.run(go(feed))
    assert 'documents 2 to 3 of "events" are skipped' in caplog.text


def test_a_log_that_was_replaced_is_read_from_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go(feed: Feed) -> None:
        feed.write(1, 2, 3)
        await feed.drain()
        feed.path.rename(feed.path.with_suffix(".old"))
        feed.write(1)
        await feed.drain()
        assert feed.batches == [[1, 2, 3], [1]]

    with feeding(tmp_path, monkeypatch, "patient") as feed:
        asyncio.run(go(feed))


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


def test_a_delivery_that_brought_the_host_down_was_counted(tmp_path: Path) -> None:
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
