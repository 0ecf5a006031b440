"""Change feeds from a SQLite file, on a virtual clock."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from local_host.app.functions import FEED
from local_host.app.invocation import Invoker
from local_host.durable.hub import TaskHub
from local_host.triggers.sqlite_feed import SqliteFeedTrigger
from tests.local_host.driving import loaded, until
from tests.local_host.triggers.driving import FEEDS, hub_and_invoker
from tests.virtual_clock import VirtualClock


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

    def again(self) -> SqliteFeedTrigger:
        return SqliteFeedTrigger(
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


def test_a_feed_resumes_where_it_was_or_without_its_hub_from_the_beginning(
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


def test_a_feed_from_now_omits_earlier_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go(feed: Feed) -> None:
        feed.write(1, 2)
        await feed.drain()
        feed.write(3)
        await feed.drain()
        assert feed.batches == [[3]]

    with feeding(tmp_path, monkeypatch, "from_now") as feed:
        asyncio.run(go(feed))


def test_a_failed_batch_is_delivered_again_with_growing_pauses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go(feed: Feed) -> None:
        feed.write(1, 2)
        feed.faults.extend([ValueError("x"), ValueError("y")])
        started = feed.clock.now()
        await feed.drain()
        assert feed.batches == [[1, 2]] * 3
        assert feed.clock.now() - started == timedelta(seconds=3)

    with feeding(tmp_path, monkeypatch, "patient") as feed:
        asyncio.run(go(feed))


def test_without_a_policy_a_failed_batch_is_skipped_and_logged(
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
    assert 'skipping documents 2 to 3 of "events"' in caplog.text


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
