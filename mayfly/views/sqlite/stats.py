"""The stats in the views' SQLite file, updated in the same transaction as the views.

Jobs are counted by minute, hour and day of submission, so a few dozen rows answer for any length of time. Attempts of
settled jobs are stored with the lengths of their phases, in the order of their ends.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from mayfly.clock import stamp
from mayfly.jobs.job import Job
from mayfly.sqlite_file import ReadOnlyFile, fetch
from mayfly.views.stats import LIST_MAX, AttemptStats, Attention, Bucket, Span
from mayfly.views.stats_of_job import WIDTHS, attempts_of, attention_of, begun_at

SCHEMA = """
CREATE TABLE IF NOT EXISTS submissions (
    span TEXT NOT NULL,
    bucket TEXT NOT NULL,
    state TEXT NOT NULL,
    archived INTEGER NOT NULL,
    jobs INTEGER NOT NULL,
    PRIMARY KEY (span, bucket, state, archived)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attention (
    kind TEXT NOT NULL,
    since TEXT NOT NULL,
    job_id TEXT NOT NULL,
    PRIMARY KEY (kind, since, job_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS attention_by_job ON attention (job_id);
CREATE TABLE IF NOT EXISTS attempts (
    job_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    ended_at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    seconds TEXT NOT NULL,
    PRIMARY KEY (job_id, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS attempts_by_end ON attempts (ended_at DESC);
CREATE TABLE IF NOT EXISTS projected (one INTEGER PRIMARY KEY CHECK (one = 1), events INTEGER NOT NULL);
INSERT OR IGNORE INTO projected VALUES (1, 0);
"""
DROP = " ".join(f"DROP TABLE IF EXISTS {name};" for name in ("submissions", "attention", "attempts", "projected"))
_COUNT = """
INSERT INTO submissions (span, bucket, state, archived, jobs) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (span, bucket, state, archived) DO UPDATE SET jobs = jobs + excluded.jobs
"""

Stored = Mapping[str, tuple[int, str, bool]]
"""By job id, the position, state and archive flag of the stored view."""


def record(connection: sqlite3.Connection, before: Stored, moved: Sequence[Job]) -> None:
    """Update the stats from the stored views to the new ones, inside the caller's transaction.

    Shapes: `moved` has each job once, at a later position than in `before`.
    """
    counts: Counter[tuple[Span, str, str, bool]] = Counter()
    events = 0
    for job in moved:
        at = stamp(job.submitted_at)
        position, state, archived = before.get(job.job_id, (0, None, False))
        events += job.position - position
        for span, width in WIDTHS.items():
            if state is not None:
                counts[span, at[:width], state, archived] -= 1
            counts[span, at[:width], job.state, job.archived] += 1
    connection.executemany(_COUNT, [(*key, jobs) for key, jobs in counts.items() if jobs])
    connection.execute("UPDATE projected SET events = events + ?", (events,))
    connection.executemany("DELETE FROM attention WHERE job_id = ?", [(job.job_id,) for job in moved])
    connection.executemany(
        "INSERT INTO attention (kind, since, job_id) VALUES (?, ?, ?)",
        [(kind, since, job.job_id) for job in moved for kind, since in attention_of(job).items()],
    )
    connection.executemany("DELETE FROM attempts WHERE job_id = ?", [(job.job_id,) for job in moved if not job.settled])
    connection.executemany(
        "INSERT OR REPLACE INTO attempts (job_id, number, ended_at, outcome, seconds) VALUES (?, ?, ?, ?, ?)",
        [
            (job.job_id, number, ended_at, outcome, json.dumps(seconds))
            for job in moved
            for number, ended_at, outcome, seconds in attempts_of(job)
        ],
    )


class SqliteJobStats:
    """`JobStats` for a file that another process writes."""

    def __init__(self, path: Path) -> None:
        self._file = ReadOnlyFile(path)
        self._fetch = partial(fetch, self._file, "the job stats could not be read")

    async def submitted(self, span: Span, *, since: datetime | None = None, archived: bool = False) -> Sequence[Bucket]:
        from_bucket = "" if since is None else stamp(since)[: WIDTHS[span]]
        rows = self._fetch(
            "SELECT bucket, state, sum(jobs) FROM submissions WHERE span = ? AND bucket >= ? AND archived <= ?"
            " GROUP BY bucket, state HAVING sum(jobs) > 0 ORDER BY bucket, state",
            span,
            from_bucket,
            archived,
        )
        return [Bucket(begun_at=begun_at(bucket, span), state=state, jobs=jobs) for bucket, state, jobs in rows]

    async def attention(self, kind: Attention) -> tuple[int, Sequence[str]]:
        ((count,),) = self._fetch("SELECT count(*) FROM attention WHERE kind = ?", kind)
        rows = self._fetch("SELECT job_id FROM attention WHERE kind = ? ORDER BY since LIMIT ?", kind, LIST_MAX)
        return count, [job_id for (job_id,) in rows]

    async def attempts(self, *, limit: int) -> Sequence[AttemptStats]:
        rows = self._fetch("SELECT outcome, ended_at, seconds FROM attempts ORDER BY ended_at DESC LIMIT ?", limit)
        return [
            AttemptStats(outcome=outcome, ended_at=datetime.fromisoformat(ended_at), seconds=json.loads(seconds))
            for outcome, ended_at, seconds in rows
        ]

    async def positions(self, job_ids: Sequence[str]) -> Mapping[str, int]:
        query = "SELECT job_id, position FROM jobs WHERE job_id = ?"
        return dict(row for job_id in set(job_ids) for row in self._fetch(query, job_id))

    async def projected(self) -> int:
        ((events,),) = self._fetch("SELECT events FROM projected")
        return int(events)

    async def close(self) -> None:
        self._file.close()
