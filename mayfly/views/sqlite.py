"""The views in one SQLite file, which may be deleted at any time (I1); hence synchronous=NORMAL."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from mayfly.errors import TryAgain
from mayfly.jobs.job import Job, from_json, to_json
from mayfly.jobs.lifecycle import STATES, JobState
from mayfly.views.cursor import cursor_after, parse_cursor
from mayfly.views.job_views import PAGE_MAX, JobFilter, Page

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    job_id TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    state TEXT NOT NULL,
    submitted_at TEXT NOT NULL,
    archived INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    document TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (submitted_at DESC, job_id DESC, archived);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (archived, state, submitted_at DESC, job_id DESC);
CREATE INDEX IF NOT EXISTS jobs_unsettled ON jobs (job_id) WHERE settled = 0;
CREATE TABLE IF NOT EXISTS labels (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    job_id TEXT NOT NULL,
    PRIMARY KEY (name, value, job_id)
) WITHOUT ROWID;
"""

_SAVE = """
INSERT INTO jobs (job_id, position, state, submitted_at, archived, settled, document) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (job_id) DO UPDATE SET position = excluded.position, state = excluded.state,
    archived = excluded.archived, settled = excluded.settled, document = excluded.document
WHERE excluded.position > jobs.position
"""


class SqliteJobViews:
    """`JobViews` in a file. One instance per process, used from one event loop."""

    def __init__(self, path: Path | str) -> None:
        if isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)

    async def get_many(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """See `JobViews.get_many`."""
        found: dict[str, Job] = {}
        for job_id in job_ids:
            for (document,) in self._fetch("SELECT document FROM jobs WHERE job_id = ?", (job_id,)):
                found[job_id] = from_json(document)
        return found

    async def save(self, jobs: Sequence[Job]) -> None:
        """See `JobViews.save`."""
        rows = [
            (
                job.job_id,
                job.position,
                job.state,
                job.submitted_at.isoformat(timespec="microseconds"),
                job.archived,
                job.settled,
                to_json(job),
            )
            for job in jobs
        ]
        labels = [(name, value, job.job_id) for job in jobs for name, value in job.spec.labels.items()]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_SAVE, rows)
            self._connection.executemany("INSERT OR IGNORE INTO labels (name, value, job_id) VALUES (?, ?, ?)", labels)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise TryAgain(f"the job views could not be written: {error}") from error

    async def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
        """See `JobViews.page`."""
        limit = min(limit, PAGE_MAX)
        where, arguments = _conditions(job_filter, cursor)
        rows = self._fetch(
            f"SELECT document FROM jobs WHERE {where} ORDER BY submitted_at DESC, job_id DESC LIMIT ?",  # noqa: S608
            (*arguments, limit + 1),
        )
        jobs = [from_json(document) for (document,) in rows[:limit]]
        return Page(jobs=jobs, cursor=cursor_after(jobs[-1]) if len(rows) > limit else None)

    async def count_by_state(self) -> Mapping[JobState, int]:
        """See `JobViews.count_by_state`."""
        rows = self._fetch("SELECT state, count(*) FROM jobs WHERE archived = 0 GROUP BY state", ())
        counts = {state: int(count) for state, count in rows}
        return {state: counts.get(state, 0) for state in STATES}

    async def unsettled(self, *, after: str = "", limit: int = 1_000) -> Sequence[str]:
        """See `JobViews.unsettled`."""
        rows = self._fetch(
            "SELECT job_id FROM jobs WHERE settled = 0 AND job_id > ? ORDER BY job_id LIMIT ?", (after, limit)
        )
        return [job_id for (job_id,) in rows]

    async def clear(self) -> None:
        """See `JobViews.clear`."""
        self._connection.executescript("BEGIN; DELETE FROM jobs; DELETE FROM labels; COMMIT;")

    async def close(self) -> None:
        """See `JobViews.close`."""
        self._connection.close()

    def _fetch(self, sql: str, arguments: tuple[object, ...]) -> list[tuple[str, ...]]:
        try:
            return self._connection.execute(sql, arguments).fetchall()
        except sqlite3.OperationalError as error:
            raise TryAgain(f"the job views could not be read: {error}") from error


def _conditions(job_filter: JobFilter, cursor: str | None) -> tuple[str, list[object]]:
    """Return the WHERE clause and its arguments; values are never part of the text."""
    clauses: list[str] = ["1"] if job_filter.archived else ["archived = 0"]
    arguments: list[object] = []
    if job_filter.states is not None:
        clauses.append(f"state IN ({', '.join('?' * len(job_filter.states))})")
        arguments += sorted(job_filter.states)
    for name, value in job_filter.labels.items():
        clauses.append("job_id IN (SELECT job_id FROM labels WHERE name = ? AND value = ?)")
        arguments += [name, value]
    if job_filter.name_contains is not None:
        clauses.append("instr(job_id, ?) > 0")
        arguments.append(job_filter.name_contains)
    if job_filter.submitted_after is not None:
        clauses.append("submitted_at > ?")
        arguments.append(job_filter.submitted_after.isoformat(timespec="microseconds"))
    if job_filter.submitted_before is not None:
        clauses.append("submitted_at < ?")
        arguments.append(job_filter.submitted_before.isoformat(timespec="microseconds"))
    if cursor is not None:
        clauses.append("(submitted_at, job_id) < (?, ?)")
        arguments += parse_cursor(cursor)
    return " AND ".join(clauses), arguments
