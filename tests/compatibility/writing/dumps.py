# mypy: ignore-errors
"""From a data folder to text: the SQLite files as SQL, and the same events as the documents that Cosmos DB holds."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from mayfly.admission.cosmos import CosmosLedger
from mayfly.admission.sqlite import SqliteLedger
from mayfly.cosmos.account import LAYOUT, CosmosAccount
from mayfly.intake.cosmos import CosmosIntakeRecord
from mayfly.intake.sqlite import SqliteIntakeRecord
from mayfly.log.cosmos import CosmosEventLog
from mayfly.log.event_log import Recorded
from mayfly.log.sqlite import SqliteEventLog
from mayfly.views.cosmos import CosmosJobViews
from mayfly.views.projection import project
from tests.cosmos_server.server import running

_OF_THE_SERVER = ("_rid", "_self", "_etag", "_attachments", "_ts", "_lsn")


def dump_sqlite(database: Path, to: Path) -> None:
    """Write a database as SQL, with its `user_version`, which `iterdump` leaves out."""
    with sqlite3.connect(database) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        lines = [*connection.iterdump(), f"PRAGMA user_version={version};"]
    connection.close()
    write(to, "\n".join(lines) + "\n")


def write(path: Path, text: str) -> None:
    """Write a file; one that ends in `.gz` is compressed, and the same text always gives the same bytes."""
    content = text.encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


async def dump_cosmos(data: Path, to: Path) -> None:
    """Write what the same events, refusals and ledger are in Cosmos DB."""
    with running() as server:
        account = server.account(LAYOUT["database"])
        account.join()
        await _fill(account, data)
        found = {name: await _items(account, name) for name in LAYOUT["containers"]}
        await account.leave()
    lines = (f"{json.dumps(name)}: [\n" + ",\n".join(map(_line, items)) + "\n]" for name, items in found.items())
    write(to, "{" + ",\n".join(lines) + "}\n")


async def _fill(account: CosmosAccount, data: Path) -> None:
    log, cosmos_log, views = SqliteEventLog(data / "log.db"), CosmosEventLog(account), CosmosJobViews(account)
    recorded = list(await log.read_all(limit=100_000))
    for events in _appends(recorded):
        await cosmos_log.append(events, expected_position=events[0].position - 1)
        await project(events, log=cosmos_log, views=views)
    await views.note_complete()
    intake, cosmos_intake = SqliteIntakeRecord(data / "intake.db"), CosmosIntakeRecord(account)
    for refusal in await intake.refusals():
        await cosmos_intake.record(refusal)
    ledger, cosmos_ledger = SqliteLedger(data / "ledger.db"), CosmosLedger(account)
    book, _ = await ledger.read()
    assert book is not None
    assert await cosmos_ledger.write(book, expected=(await cosmos_ledger.read())[1])
    for opened in (log, cosmos_log, views, intake, cosmos_intake, ledger, cosmos_ledger):
        await opened.close()


def _appends(recorded: Sequence[Recorded]) -> Iterable[list[Any]]:
    """Group the events as they were appended: those of one append have one time."""
    for _, group in groupby((one.event for one in recorded), key=lambda event: (event.job_id, event.at)):
        yield list(group)


async def _items(account: CosmosAccount, name: str) -> list[dict[str, Any]]:
    container = await account.container(name)
    items = [item async for item in container.read_all_items()]
    return [{key: value for key, value in item.items() if key not in _OF_THE_SERVER} for item in items]


def _line(item: dict[str, Any]) -> str:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
