"""The views in one SQLite file. It may be lost at any time (I1), so synchronous=NORMAL is enough."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from io import UnsupportedOperation
from pathlib import Path

from mayfly.clock import stamp
from mayfly.errors import TryAgain
from mayfly.jobs.job import Job, from_json
from mayfly.jobs.lifecycle import STATES, JobState
from mayfly.sqlite_file import ReadOnlyFile, fetch, open_for_writing
from mayfly.views.cursor import parse_cursor
from mayfly.views.job_views import PAGE_MAX, JobFilter, Page
from mayfly.views.sqlite import stats as sqlite_stats
from mayfly.views.stored_job import fields_of, latest_of, page_of

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
VALUES (:job_id, :position, :state, :name, :submitted_at, :archived, :settled, :document)
ON CONFLICT (job_id) DO UPDATE SET position = excluded.position, state = excluded.state,
    archived = excluded.archived, settled = excluded.settled, document = excluded.document
WHERE excluded.position > jobs.position
"""
_SAVE_LABEL = "INSERT OR IGNORE INTO labels (name, value, submitted_at, job_id) VALUES (?, ?, ?, ?)"
_HAS_LABEL = """
EXISTS (SELECT 1 FROM labels AS l WHERE l.name = ? AND l.value = ?
    AND l.submitted_at = jobs.submitted_at AND l.job_id = jobs.job_id)
"""
_READ_FAILED = "the job views could not be read"


class SqliteJobViews:
    """`JobViews` in a file. One instance per process, used from one event loop."""

    def __init__(self, path: Path | str) -> None:
        self._connection = open_for_writing(path, _SCHEMA, synchronous="NORMAL", upgrade=_drop_another_version)
        self._fetch = partial(fetch, self._connection, _READ_FAILED)

    async def get_many(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        query = "SELECT document FROM jobs WHERE job_id = ?"
        return {job_id: from_json(document) for job_id in job_ids for (document,) in self._fetch(query, job_id)}

    async def save(self, jobs: Sequence[Job]) -> None:
        try:
            with self._connection:  # commits, or rolls back after any exception
                self._connection.execute("BEGIN IMMEDIATE")
                query = "SELECT position, state, archived FROM jobs WHERE job_id = ?"
                before = {job.job_id: row for job in jobs for row in self._fetch(query, job.job_id)}
                moved = [job for job in latest_of(jobs) if job.position > before.get(job.job_id, (0,))[0]]
                self._connection.executemany(_SAVE, [fields_of(job) for job in moved])
                self._connection.executemany(_SAVE_LABEL, [label for job in moved for label in _labels(job)])
                sqlite_stats.record(self._connection, before, moved)
        except sqlite3.Error as error:
            raise TryAgain(f"the job views could not be written: {error}") from error

    async def page(self, job_filter: JobFilter, *, limit: int, cursor: str | None = None) -> Page:
        limit = min(limit, PAGE_MAX)
        sql, arguments = _page_query(job_filter, cursor, limit + 1)
        return page_of([document for (document,) in self._fetch(sql, *arguments)], limit)

    async def count_by_state(self) -> Mapping[JobState, int]:
        query = "SELECT state, sum(jobs) FROM submissions WHERE span = 'day' AND archived = 0 GROUP BY state"
        return {**dict.fromkeys(STATES, 0), **dict(self._fetch(query))}

    async def unsettled(self, *, after: str = "", limit: int = 1_000) -> Sequence[str]:
        query = "SELECT job_id FROM jobs WHERE settled = 0 AND job_id > ? ORDER BY job_id LIMIT ?"
        return [job_id for (job_id,) in self._fetch(query, after, limit)]

    async def clear(self) -> None:
        self._connection.executescript(f"BEGIN; {_DROP} {_SCHEMA} PRAGMA user_version=0; COMMIT;")

    async def complete(self) -> bool:
        return self._fetch("PRAGMA user_version") == [(_VERSION,)]

    async def note_complete(self) -> None:
        self._connection.execute(f"PRAGMA user_version={_VERSION}")

    async def close(self) -> None:
        self.release()

    def release(self) -> None:
        """Close the file."""
        self._connection.close()


class SqliteViewsReader(SqliteJobViews):
    """The same views for a process that only reads them; the file may not exist yet."""

    def __init__(self, path: Path) -> None:
        self._file = ReadOnlyFile(path)
        self._fetch = partial(fetch, self._file, _READ_FAILED)

    async def save(self, jobs: Sequence[Job]) -> None:
        raise UnsupportedOperation(f"the views are open for reading only: {len(jobs)} jobs")

    async def clear(self) -> None:
        raise UnsupportedOperation("the views are open for reading only")

    async def note_complete(self) -> None:
        raise UnsupportedOperation("the views are open for reading only")

    def release(self) -> None:
        """Close the file."""
        self._file.close()


def _drop_another_version(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA user_version").fetchone()[0] not in (0, _VERSION):
        connection.executescript(f"{_DROP} PRAGMA user_version=0;")


def _labels(job: Job) -> Sequence[tuple[str, str, str, str]]:
    return [(*label, stamp(job.submitted_at), job.job_id) for label in job.spec.labels.items()]


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
    labels = list(job_filter.labels.items())
    # The rows of a label are in the order of the list, so the first label, if any, drives the query.
    lead = "labels" if labels else "jobs"
    source = "labels CROSS JOIN jobs ON jobs.job_id = labels.job_id" if labels else "jobs"
    clauses: list[str] = []
    arguments: list[object] = []

    def add(clause: str, *values: object) -> None:
        clauses.append(clause)
        arguments.extend(values)

    if labels:
        add("labels.name = ? AND labels.value = ?", *labels[0])
    for label in labels[1:]:
        add(_HAS_LABEL, *label)
    if not job_filter.archived:
        add("jobs.archived = 0")
    if state is not None:
        add("jobs.state = ?", state)
    if job_filter.name_contains is not None:
        add(f"(instr({lead}.job_id, ?) > 0 OR instr(jobs.name, ?) > 0)", *[job_filter.name_contains] * 2)
    if job_filter.submitted_after is not None:
        add(f"{lead}.submitted_at > ?", stamp(job_filter.submitted_after))
    if job_filter.submitted_before is not None:
        add(f"{lead}.submitted_at < ?", stamp(job_filter.submitted_before))
    if cursor is not None:
        add(f"({lead}.submitted_at, {lead}.job_id) < (?, ?)", *parse_cursor(cursor))
    columns = f"jobs.document AS document, {lead}.submitted_at AS submitted_at, {lead}.job_id AS job_id"
    return f"SELECT {columns} FROM {source} WHERE {' AND '.join(clauses) or '1'}", arguments  # noqa: S608
