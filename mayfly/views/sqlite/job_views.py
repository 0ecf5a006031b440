"""The views in one SQLite file. It may be lost at any time (I1), so synchronous=NORMAL is enough."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from io import UnsupportedOperation
from pathlib import Path
from typing import Any

from mayfly.clock import stamp
from mayfly.errors import TryAgain
from mayfly.jobs.job import Job, from_json, to_json
from mayfly.jobs.lifecycle import STATES, JobState
from mayfly.sqlite_file import ReadOnlyFile, open_for_writing
from mayfly.views.cursor import cursor_after, parse_cursor
from mayfly.views.job_views import PAGE_MAX, JobFilter, Page
from mayfly.views.sqlite import stats as sqlite_stats

_JOBS = """
CREATE TABLE IF NOT EXISTS jobs (
    job_id TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    state TEXT NOT NULL,
    name TEXT NOT NULL,
    submitted_at TEXT NOT NULL,
    archived INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (submitted_at DESC, job_id DESC, name);
CREATE INDEX IF NOT EXISTS jobs_shown_by_time ON jobs (submitted_at DESC, job_id DESC, name) WHERE archived = 0;
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, submitted_at DESC, job_id DESC, name);
CREATE INDEX IF NOT EXISTS jobs_shown_by_state ON jobs (state, submitted_at DESC, job_id DESC, name) WHERE archived = 0;
CREATE INDEX IF NOT EXISTS jobs_unsettled ON jobs (job_id) WHERE settled = 0;
CREATE TABLE IF NOT EXISTS labels (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    submitted_at TEXT NOT NULL,
    job_id TEXT NOT NULL,
    PRIMARY KEY (name, value, submitted_at, job_id)
) WITHOUT ROWID;
"""
_SCHEMA = f"{_JOBS} {sqlite_stats.SCHEMA}"
_DROP = f"DROP TABLE IF EXISTS jobs; DROP TABLE IF EXISTS labels; {sqlite_stats.DROP}"
_VERSION = 2
"""Version of the schema and of its documents; a file of another version is rebuilt from the log."""

_SAVE = """
INSERT INTO jobs (job_id, position, state, name, submitted_at, archived, settled, document)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (job_id) DO UPDATE SET position = excluded.position, state = excluded.state,
    archived = excluded.archived, settled = excluded.settled, document = excluded.document
WHERE excluded.position > jobs.position
"""
_SAVE_LABEL = "INSERT OR IGNORE INTO labels (name, value, submitted_at, job_id) VALUES (?, ?, ?, ?)"


class SqliteJobViews:
    """`JobViews` in a file. One instance per process, used from one event loop."""

    def __init__(self, path: Path | str) -> None:
        self._connection = open_for_writing(path, _SCHEMA, synchronous="NORMAL", upgrade=_drop_another_version)

    async def get_many(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """See `JobViews.get_many`."""
        found: dict[str, Job] = {}
        for job_id in job_ids:
            for (document,) in self._fetch("SELECT document FROM jobs WHERE job_id = ?", (job_id,)):
                found[job_id] = from_json(document)
        return found

    async def save(self, jobs: Sequence[Job]) -> None:
        """See `JobViews.save`."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            before = self._stored([job.job_id for job in jobs])
            moved = _moved(jobs, before)
            self._connection.executemany(_SAVE, [_row(job) for job in moved])
            self._connection.executemany(_SAVE_LABEL, [row for job in moved for row in _label_rows(job)])
            sqlite_stats.record(self._connection, before, moved)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise TryAgain(f"the job views could not be written: {error}") from error

    async def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
        """See `JobViews.page`."""
        limit = min(limit, PAGE_MAX)
        sql, arguments = _page_query(job_filter, cursor, limit + 1)
        rows = self._fetch(sql, tuple(arguments))
        jobs = [from_json(document) for (document,) in rows[:limit]]
        return Page(jobs=jobs, cursor=cursor_after(jobs[-1]) if len(rows) > limit else None)

    async def count_by_state(self) -> Mapping[JobState, int]:
        """See `JobViews.count_by_state`."""
        rows = self._fetch(
            "SELECT state, sum(jobs) FROM submissions WHERE span = 'day' AND archived = 0 GROUP BY state", ()
        )
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
        self._connection.executescript(f"BEGIN; {_DROP} {_SCHEMA} PRAGMA user_version=0; COMMIT;")

    async def complete(self) -> bool:
        """See `JobViews.complete`."""
        return self._fetch("PRAGMA user_version", ()) == [(_VERSION,)]

    async def note_complete(self) -> None:
        """See `JobViews.note_complete`."""
        self._connection.execute(f"PRAGMA user_version={_VERSION}")

    async def close(self) -> None:
        """See `JobViews.close`."""
        self.release()

    def release(self) -> None:
        """Close the file."""
        self._connection.close()

    def _reading(self) -> sqlite3.Connection:
        return self._connection

    def _stored(self, job_ids: Sequence[str]) -> sqlite_stats.Stored:
        """Return the stored position, state and archive flag of these jobs."""
        rows = [
            row
            for job_id in job_ids
            for row in self._fetch("SELECT job_id, position, state, archived FROM jobs WHERE job_id = ?", (job_id,))
        ]
        return {job_id: (int(position), state, bool(archived)) for job_id, position, state, archived in rows}

    def _fetch(self, sql: str, arguments: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._reading().execute(sql, arguments).fetchall()
        except sqlite3.DatabaseError as error:
            raise TryAgain(f"the job views could not be read: {error}") from error


class SqliteViewsReader(SqliteJobViews):
    """The same views for a process that only reads them; the file may not exist yet."""

    def __init__(self, path: Path) -> None:
        self._file = ReadOnlyFile(path)

    async def save(self, jobs: Sequence[Job]) -> None:
        """Refuse."""
        raise UnsupportedOperation(f"the views are open for reading only: {len(jobs)} jobs")

    async def clear(self) -> None:
        """Refuse."""
        raise UnsupportedOperation("the views are open for reading only")

    async def note_complete(self) -> None:
        """Refuse."""
        raise UnsupportedOperation("the views are open for reading only")

    def release(self) -> None:
        """Close the file."""
        self._file.close()

    def _reading(self) -> sqlite3.Connection:
        return self._file.connection


def _drop_another_version(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA user_version").fetchone()[0] not in (0, _VERSION):
        connection.executescript(f"{_DROP} PRAGMA user_version=0;")


def _moved(jobs: Sequence[Job], before: sqlite_stats.Stored) -> list[Job]:
    """Return each job once, at its latest position, if that is later than the stored one."""
    latest: dict[str, Job] = {}
    for job in jobs:
        stored = latest[job.job_id].position if job.job_id in latest else before.get(job.job_id, (0, "", False))[0]
        if job.position > stored:
            latest[job.job_id] = job
    return list(latest.values())


def _row(job: Job) -> tuple[object, ...]:
    return (
        job.job_id,
        job.position,
        job.state,
        job.spec.name or "",
        stamp(job.submitted_at),
        job.archived,
        job.settled,
        to_json(job),
    )


def _label_rows(job: Job) -> list[tuple[str, str, str, str]]:
    return [(name, value, stamp(job.submitted_at), job.job_id) for name, value in job.spec.labels.items()]


def _page_query(job_filter: JobFilter, cursor: str | None, limit: int) -> tuple[str, list[object]]:
    """Return one SELECT and its arguments; values are never part of its text.

    There is one part for each requested state. Each part reads an index in the order of the list and stops at the
    limit, however many jobs there are.
    """
    parts: list[str] = []
    arguments: list[object] = []
    for state in sorted(job_filter.states) if job_filter.states is not None else [None]:
        part, part_arguments = _part_query(job_filter, state, cursor)
        parts.append(f"SELECT * FROM ({part} ORDER BY submitted_at DESC, job_id DESC LIMIT ?)")  # noqa: S608
        arguments += [*part_arguments, limit]
    union = " UNION ALL ".join(parts) or "SELECT document, submitted_at, job_id FROM jobs WHERE 0"
    return f"SELECT document FROM ({union}) ORDER BY submitted_at DESC, job_id DESC LIMIT ?", [*arguments, limit]  # noqa: S608


def _part_query(job_filter: JobFilter, state: str | None, cursor: str | None) -> tuple[str, list[object]]:
    first, *others = job_filter.labels.items() or [None]
    # The rows of a label are in the order of the list, so the first label, if any, drives the query.
    lead = "jobs" if first is None else "labels"
    source = "jobs" if first is None else "labels CROSS JOIN jobs ON jobs.job_id = labels.job_id"
    clauses: list[str] = []
    arguments: list[object] = []
    if first is not None:
        clauses.append("labels.name = ? AND labels.value = ?")
        arguments += first
    for name, value in (label for label in others if label is not None):
        clauses.append(
            "EXISTS (SELECT 1 FROM labels AS l WHERE l.name = ? AND l.value = ?"
            " AND l.submitted_at = jobs.submitted_at AND l.job_id = jobs.job_id)"
        )
        arguments += [name, value]
    if not job_filter.archived:
        clauses.append("jobs.archived = 0")
    if state is not None:
        clauses.append("jobs.state = ?")
        arguments.append(state)
    if job_filter.name_contains is not None:
        clauses.append(f"(instr({lead}.job_id, ?) > 0 OR instr(jobs.name, ?) > 0)")
        arguments += [job_filter.name_contains] * 2
    if job_filter.submitted_after is not None:
        clauses.append(f"{lead}.submitted_at > ?")
        arguments.append(stamp(job_filter.submitted_after))
    if job_filter.submitted_before is not None:
        clauses.append(f"{lead}.submitted_at < ?")
        arguments.append(stamp(job_filter.submitted_before))
    if cursor is not None:
        clauses.append(f"({lead}.submitted_at, {lead}.job_id) < (?, ?)")
        arguments += parse_cursor(cursor)
    columns = f"jobs.document AS document, {lead}.submitted_at AS submitted_at, {lead}.job_id AS job_id"
    return f"SELECT {columns} FROM {source} WHERE {' AND '.join(clauses) or '1'}", arguments  # noqa: S608
