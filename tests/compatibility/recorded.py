"""The contents of `9e4d491/`: the data folder at the moment its host was killed, and its jobs as 9e4d491 read them."""

from __future__ import annotations

import gzip
import json
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "9e4d491"
DATABASES = ("log", "views", "intake", "ledger", "host/hub")
"""Each file of the data folder, without its ending."""

LISTS: tuple[dict[str, str], ...] = (
    {},
    {"archived": "true", "limit": "5"},
    {"state": "succeeded"},
    {"state": "failed,timed_out"},
    {"state": "queued,starting,running"},
    {"label": "where=azure"},
    {"label": '"team=research, applied",order=17'},
    {"label": "array=a", "state": "failed"},
    {"name": "array"},
    {"name": "order"},
)
"""Filters of the list of jobs whose answers are recorded."""


def restore(data: Path) -> Path:
    """Create the data folder as the killed host left it, without its containers and keys."""
    (data / "host").mkdir(parents=True)
    for name in DATABASES:
        with sqlite3.connect(data / f"{name}.db") as connection:
            connection.executescript(text(f"{Path(name).name}.sql.gz"))
        connection.close()
    return data


def expected() -> dict[str, Any]:
    """Return the contents of the folder as the code of 9e4d491 read them."""
    found: dict[str, Any] = json.loads(text("expected.json.gz"))
    return found


def steps() -> dict[str, list[dict[str, Any]]]:
    """Return each job after each of its events."""
    found: dict[str, list[dict[str, Any]]] = json.loads(text("steps.json.gz"))
    return found


def killed_at() -> datetime:
    """Return when the host was killed."""
    return datetime.fromisoformat(expected()["killed_at"])


def cosmos() -> dict[str, list[dict[str, Any]]]:
    """Return the same events, views, figures, refusals and ledger as items of Cosmos DB, by container."""
    found: dict[str, list[dict[str, Any]]] = json.loads(text("cosmos.json.gz"))
    return found


def text(name: str) -> str:
    """Return one file of the record."""
    return gzip.decompress((FOLDER / name).read_bytes()).decode()
