"""What is durable? The task hub: one SQLite file that holds everything a host must not forget.

What is committed is never done again; what is scheduled and not completed is done again after a crash. So callers put
whatever belongs together into one `transaction`, and act on it only after that has been left.

Write-ahead logging with `synchronous=NORMAL`: a commit is handed to the operating system before it returns, so a
process killed at any instant loses nothing. A machine that loses power may lose the last commits, never the file's
consistency; for jobs on one laptop that is the right price, and it saves a disk flush per commit.

All times are microseconds since 1970. Every instance has a `key`, a number that is never used again: when an instance
is replaced or purged, whatever was under way for the old one finds no row and is dropped.

Not safe for threads: one hub belongs to one event loop. One host a file; see `lock` for how that is kept.

Source: https://www.sqlite.org/pragma.html#pragma_synchronous. Nothing here needs more than SQLite 3.35 (RETURNING).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

PENDING = "Pending"
RUNNING = "Running"
SUSPENDED = "Suspended"
COMPLETED = "Completed"
FAILED = "Failed"
TERMINATED = "Terminated"
FINISHED = frozenset({COMPLETED, FAILED, TERMINATED})


class Instance(NamedTuple):
    """One orchestration instance, without its history.

    Shapes: `input`, `output` and `custom_status` are JSON texts or `None`. `parent_*` are `None` for a root.
    """

    key: int
    instance_id: str
    execution_id: str
    name: str
    version: str
    status: str
    input: str | None
    output: str | None
    custom_status: str | None
    created_at: int
    updated_at: int
    parent_id: str | None
    parent_key: int | None
    parent_execution_id: str | None
    parent_task_id: int | None
    suspended: int


class PendingActivity(NamedTuple):
    number: int
    key: int
    task_id: int
    name: str
    input: str | None
    instance_id: str | None
    """`None` when the instance is no longer there; the activity still runs, and its result is dropped."""


class DueTimer(NamedTuple):
    slot: int
    fire_at: int
    instance_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which instances to list or purge. `None` and empty mean "any"; the end of a range is included."""

    created_from: int | None = None
    created_to: int | None = None
    statuses: tuple[str, ...] = ()
    id_prefix: str | None = None


class TaskHub:
    """Instances, their histories and inboxes, pending activities and timers."""

    def __init__(self, path: Path | None = None) -> None:
        """Open or create a hub; `None` keeps it in memory."""
        self.db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._depth = 0
        try:
            if path is not None:
                self.db.execute("PRAGMA journal_mode=WAL")
                self.db.execute("PRAGMA synchronous=NORMAL")
                self.db.execute("PRAGMA busy_timeout=5000")
                self.db.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
            self.db.executescript(_SCHEMA)
            self._next_message = self._highest("inbox", "number") + 1
            self._next_activity = self._highest("activities", "number") + 1
        except BaseException:
            self.db.close()
            raise

    def close(self) -> None:
        self.db.close()

    @property
    def is_changing(self) -> bool:
        """Whether a transaction is open."""
        return self._depth > 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside at once, or nothing. Inner transactions join the outer one."""
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        self.db.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        else:
            self.db.execute("COMMIT")
        finally:
            self._depth = 0

    # Instances

    def instance(self, instance_id: str) -> Instance | None:
        row = self.db.execute(f"{_SELECT_INSTANCE} WHERE instance_id=?", (instance_id,)).fetchone()
        return None if row is None else Instance._make(row)

    def instance_by_key(self, key: int) -> Instance | None:
        row = self.db.execute(f"{_SELECT_INSTANCE} WHERE key=?", (key,)).fetchone()
        return None if row is None else Instance._make(row)

    def add_instance(self, instance: Instance) -> int:
        """Store a new instance and return its key; the `key` of the argument is not used."""
        marks = ",".join("?" * (len(instance) - 1))
        columns = ",".join(Instance._fields[1:])
        cursor = self.db.execute(f"INSERT INTO instances({columns}) VALUES({marks})", instance[1:])
        key = cursor.lastrowid
        assert key is not None  # noqa: S101 - an INSERT that succeeded has a row id
        return key

    def update_instance(
        self,
        key: int,
        *,
        status: str,
        output: str | None,
        custom_status: str | None,
        updated_at: int,
        suspended: bool,
    ) -> None:
        self.db.execute(
            "UPDATE instances SET status=?,output=?,custom_status=?,updated_at=?,suspended=? WHERE key=?",
            (status, output, custom_status, updated_at, suspended, key),
        )

    def renew_instance(self, key: int, *, execution_id: str, input_text: str | None) -> None:
        """Begin a new generation: a new execution id and input, and no history."""
        self.db.execute("UPDATE instances SET execution_id=?,input=? WHERE key=?", (execution_id, input_text, key))
        self._forget_history(key)

    def delete_instance(self, key: int) -> None:
        """Delete an instance and everything that waits for it."""
        self.db.execute("DELETE FROM instances WHERE key=?", (key,))
        self.db.execute("DELETE FROM inbox WHERE key=?", (key,))
        self._forget_history(key)
        self.delete_timers(key)

    def instances(self, chosen: Filter, *, after: int, limit: int) -> list[Instance]:
        """Return instances in the order of their keys, after one key."""
        where, values = _conditions(chosen)
        rows = self.db.execute(f"{_SELECT_INSTANCE} WHERE key>?{where} ORDER BY key LIMIT ?", (after, *values, limit))
        return [Instance._make(row) for row in rows]

    # History: one row an episode, so that an episode appends one row and a replay reads few.

    def history(self, key: int) -> tuple[list[str], int]:
        """Return the history in chunks of JSON events joined by commas, and the number of the next chunk."""
        rows = self.db.execute(
            "SELECT slot,events FROM history WHERE slot>=? AND slot<? ORDER BY slot",
            (key << _SLOT_BITS, (key + 1) << _SLOT_BITS),
        ).fetchall()
        next_chunk = (rows[-1][0] & _SLOT_MASK) + 1 if rows else 0
        return [row[1] for row in rows], next_chunk

    def append_history(self, key: int, chunk: int, events: str) -> None:
        self.db.execute("INSERT INTO history(slot,events) VALUES(?,?)", (key << _SLOT_BITS | chunk, events))

    def _forget_history(self, key: int) -> None:
        self.db.execute("DELETE FROM history WHERE slot>=? AND slot<?", (key << _SLOT_BITS, (key + 1) << _SLOT_BITS))

    # Inbox: events that an instance has not seen yet, in the order in which they came.

    def send(self, key: int, event: str) -> None:
        self.db.execute("INSERT INTO inbox(number,key,event) VALUES(?,?,?)", (self._next_message, key, event))
        self._next_message += 1

    def messages(self, key: int) -> list[tuple[int, str]]:
        rows = self.db.execute("SELECT number,event FROM inbox WHERE key=? ORDER BY number", (key,))
        return rows.fetchall()

    def delete_messages(self, key: int, up_to: int) -> None:
        self.db.execute("DELETE FROM inbox WHERE key=? AND number<=?", (key, up_to))

    def keys_with_messages(self, limit: int) -> list[int]:
        """Return the keys of those who wait longest, without repeats, looking at no more than `limit` messages."""
        rows = self.db.execute("SELECT key FROM inbox ORDER BY number LIMIT ?", (limit,))
        return list(dict.fromkeys(row[0] for row in rows))

    # Activities

    def add_activity(self, key: int, task_id: int, name: str, input_text: str | None) -> None:
        self.db.execute(
            "INSERT INTO activities(number,key,task_id,name,input) VALUES(?,?,?,?,?)",
            (self._next_activity, key, task_id, name, input_text),
        )
        self._next_activity += 1

    def activities(self, *, after: int, limit: int) -> list[PendingActivity]:
        rows = self.db.execute(
            "SELECT a.number,a.key,a.task_id,a.name,a.input,i.instance_id FROM activities a"
            " LEFT JOIN instances i ON i.key=a.key WHERE a.number>? ORDER BY a.number LIMIT ?",
            (after, limit),
        )
        return [PendingActivity._make(row) for row in rows]

    def delete_activity(self, number: int) -> bool:
        """Delete a pending activity; return whether it was there, that is, whether its result is the first."""
        return self.db.execute("DELETE FROM activities WHERE number=?", (number,)).rowcount == 1

    # Timers

    def add_timer(self, key: int, task_id: int, fire_at: int) -> None:
        self.db.execute("INSERT INTO timers(slot,fire_at) VALUES(?,?)", (key << _SLOT_BITS | task_id, fire_at))

    def due_timers(self, now: int, limit: int) -> list[DueTimer]:
        rows = self.db.execute(
            f"SELECT t.slot,t.fire_at,i.instance_id FROM timers t JOIN instances i ON i.key=t.slot>>{_SLOT_BITS}"  # noqa: S608
            " WHERE t.fire_at<=? ORDER BY t.fire_at,t.slot LIMIT ?",
            (now, limit),
        )
        return [DueTimer._make(row) for row in rows]

    def next_timer(self) -> int | None:
        row = self.db.execute("SELECT fire_at FROM timers ORDER BY fire_at LIMIT 1").fetchone()
        return None if row is None else int(row[0])

    def take_timer(self, slot: int) -> tuple[int, int] | None:
        """Delete a timer; return its key and task id, or `None` when it was cancelled or has fired."""
        if self.db.execute("DELETE FROM timers WHERE slot=?", (slot,)).rowcount == 0:
            return None
        return slot >> _SLOT_BITS, slot & _SLOT_MASK

    def delete_timer(self, key: int, task_id: int) -> None:
        self.db.execute("DELETE FROM timers WHERE slot=?", (key << _SLOT_BITS | task_id,))

    def delete_timers(self, key: int) -> None:
        self.db.execute("DELETE FROM timers WHERE slot>=? AND slot<?", (key << _SLOT_BITS, (key + 1) << _SLOT_BITS))

    def _highest(self, table: str, column: str) -> int:
        row = self.db.execute(f"SELECT max({column}) FROM {table}").fetchone()  # noqa: S608
        return int(row[0] or 0)


# A row's place is its instance's key and its number within the instance in one integer: rows of one instance lie
# together and no second index is needed. 2^20 episodes or ids a generation is ten times what Durable Functions allows
# (maxOrchestrationActions, 100,000).
_SLOT_BITS = 20
_SLOT_MASK = (1 << _SLOT_BITS) - 1

# 16 MB between checkpoints instead of 4: each checkpoint is one of the few moments when a disk flush is waited for.
_CHECKPOINT_PAGES = 4000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS instances(
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  instance_id TEXT NOT NULL UNIQUE,
  execution_id TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  status TEXT NOT NULL,
  input TEXT,
  output TEXT,
  custom_status TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  parent_id TEXT,
  parent_key INTEGER,
  parent_execution_id TEXT,
  parent_task_id INTEGER,
  suspended INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS history(slot INTEGER PRIMARY KEY, events TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS inbox(number INTEGER PRIMARY KEY, key INTEGER NOT NULL, event TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS inbox_by_key ON inbox(key);
CREATE TABLE IF NOT EXISTS activities(
  number INTEGER PRIMARY KEY, key INTEGER NOT NULL, task_id INTEGER NOT NULL, name TEXT NOT NULL, input TEXT);
CREATE TABLE IF NOT EXISTS timers(slot INTEGER PRIMARY KEY, fire_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS timers_by_time ON timers(fire_at);
"""

_SELECT_INSTANCE = "SELECT " + ",".join(Instance._fields) + " FROM instances"  # noqa: S608 - the names are fixed


def _conditions(chosen: Filter) -> tuple[str, Sequence[str | int]]:
    parts: list[str] = []
    values: list[str | int] = []
    if chosen.created_from is not None:
        parts.append("created_at>=?")
        values.append(chosen.created_from)
    if chosen.created_to is not None:
        parts.append("created_at<=?")
        values.append(chosen.created_to)
    if chosen.statuses:
        parts.append(f"status IN ({','.join('?' * len(chosen.statuses))})")
        values.extend(chosen.statuses)
    if chosen.id_prefix:
        parts.append("substr(instance_id,1,?)=?")
        values.extend((len(chosen.id_prefix), chosen.id_prefix))
    return "".join(f" AND {part}" for part in parts), values
