"""The projector: events of the change feed reach the views."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import azure.functions as func

from tests.mayfly.composed import STARTED, SUCCEEDED
from tests.triggers.function_host import FunctionHost, run


def _documents(folder: Path) -> Any:
    """Return the documents of the change feed, from the log's view of its events."""
    with closing(sqlite3.connect(folder / "log.db")) as reader:
        rows = reader.execute("SELECT document FROM events ORDER BY _lsn").fetchall()
    return func.DocumentList([func.Document.from_dict(json.loads(text)) for (text,) in rows])


def test_the_list_shows_the_events_of_the_feed(api: FunctionHost, tmp_path: Path) -> None:
    job_id = api.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
    api.perform("begin_attempt", job_id)
    api.report(job_id, STARTED)
    api.report(job_id, SUCCEEDED)
    api.perform("end_attempt", job_id)
    for _ in range(2):
        run(api.composed.runner, "project_events", documents=_documents(tmp_path))
    (listed,) = api.call("GET", "jobs").json["jobs"]
    shown = api.call("GET", f"jobs/{job_id}").json
    assert {**listed, "links": shown["links"]} == shown
