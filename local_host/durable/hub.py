"""What is durable? The task hub: one SQLite file with everything that must survive a crash.

Committed work is never repeated. Work that is scheduled but not completed is repeated after a crash. Callers therefore
put changes that belong together into one `transaction`, and act on them only after the transaction ends.

The file uses write-ahead logging with `synchronous=NORMAL`. A commit reaches the operating system before it returns, so
killing the process at any moment loses nothing. If the machine loses power, the last commits may be lost, but the file
stays consistent. That is acceptable for jobs on one laptop, and it saves a disk flush per commit.

All times are microseconds since 1970. Every instance has a `key`, a number that is never reused. When an instance is
replaced or purged, results for the old one find no row and are dropped.

Not thread-safe: a hub belongs to one event loop. Only one host may open a file; `lock` enforces that.

Source: https://www.sqlite.org/pragma.html#pragma_synchronous. Requires SQLite 3.35 or newer (RETURNING).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
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
_STATUSES = (PENDING, RUNNING, SUSPENDED, *FINISHED)
"""Every status: the meaning of a filter without statuses."""


class Instance(NamedTuple):
    """One orchestration instance, without its history.

    Shapes: `status` is one of the constants above. `input`, `output` and `custom_status` are JSON texts or `None`.
    `parent_*` are `None` for a root instance. `suspended` is 0 or 1.
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


class ActivityCall(NamedTuple):
    """A scheduled activity that has no result yet.

    Shapes: `number` identifies the call and grows with every call. `key` is the instance's key and `task_id` the id of
    the call within it. `input_text` is JSON text, `None` for no input. `instance_id` is `None` if the instance has been
    purged or replaced since; the activity still runs, but its result is dropped.
    """

    number: int
    key: int
    task_id: int
    name: str
    input_text: str | None
    instance_id: str | None


class TimerDue(NamedTuple):
    """A durable timer that has come due. Shapes: `slot` combines the instance's key and the task's id."""

    slot: int
    fire_at: int
    instance_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which instances to list or purge. `None` and empty mean "any"; ranges include both ends."""

    created_from: int | None = None
    created_to: int | None = None
    statuses: tuple[str, ...] = ()
    id_prefix: str = ""


class TaskHub:
    """Instances, their histories and inboxes, pending activities and pending timers."""

    def __init__(self, path: Path | None = None) -> None:
        """Open or create a hub. Shapes: a `path` of `None` keeps it in memory. Errors: `sqlite3.Error`."""
        self.db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        try:
            if path is not None:
                self.db.execute("PRAGMA journal_mode=WAL")
                self.db.execute("PRAGMA synchronous=NORMAL")
                self.db.execute("PRAGMA busy_timeout=5000")
                self.db.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
            self.db.executescript(_SCHEMA)
            self._next_message = self._next_number("inbox")
            self._next_activity = self._next_number("activities")
        except BaseException:
            self.db.close()
            raise

    def close(self) -> None:
        self.db.close()

    @property
    def is_changing(self) -> bool:
        """Whether a transaction is open."""
        return self.db.in_transaction

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all changes made inside, or none. Inner transactions join the outer one."""
        if self.is_changing:
            yield
            return
        self.db.execute("BEGIN IMMEDIATE")
        with self.db:
            yield

    # Instances

    def instance(self, instance_id: str) -> Instance | None:
        row = self.db.execute(f"{_SELECT_INSTANCE} WHERE instance_id=?", (instance_id,)).fetchone()
        return None if row is None else Instance._make(row)

    def instance_by_key(self, key: int) -> Instance | None:
        row = self.db.execute(f"{_SELECT_INSTANCE} WHERE key=?", (key,)).fetchone()
        return None if row is None else Instance._make(row)

    def add_instance(self, instance: Instance) -> int:
        """Store a new instance and return its key; ignore the argument's own `key`."""
        marks = ",".join("?" * (len(instance) - 1))
        columns = ",".join(Instance._fields[1:])
        cursor = self.db.execute(f"INSERT INTO instances({columns}) VALUES({marks}) RETURNING key", instance[1:])
        return int(cursor.fetchone()[0])

    def update_instance(self, instance: Instance) -> None:
        """Store the fields that an execution changes."""
        self.db.execute(
            "UPDATE instances SET execution_id=:execution_id,status=:status,input=:input,output=:output,"
            "custom_status=:custom_status,updated_at=:updated_at,suspended=:suspended WHERE key=:key",
            instance._asdict(),
        )

    def delete_instance(self, key: int) -> None:
        """Delete an instance with its messages, history and timers."""
        self.db.execute("DELETE FROM instances WHERE key=?", (key,))
        self.db.execute("DELETE FROM inbox WHERE key=?", (key,))
        self.delete_history(key)
        self.delete_timers(key)

    def instances(self, chosen: Filter, *, after: int, limit: int) -> list[Instance]:
        """Return instances in key order, starting after the key `after`."""
        statuses = chosen.statuses or _STATUSES
        rows = self.db.execute(
            f"{_SELECT_INSTANCE} WHERE key>?"
            " AND created_at>=coalesce(?,created_at) AND created_at<=coalesce(?,created_at)"
            " AND substr(instance_id,1,length(?))=?"
            f" AND status IN ({','.join('?' * len(statuses))}) ORDER BY key LIMIT ?",
            (after, chosen.created_from, chosen.created_to, chosen.id_prefix, chosen.id_prefix, *statuses, limit),
        )
        return [Instance._make(row) for row in rows]

    # History: one row per episode, so an episode appends one row and a replay reads few.

    def history(self, key: int) -> tuple[list[str], int]:
        """Return the history as chunks of JSON events joined by commas, and the number of the next chunk."""
        rows = self.db.execute(
            "SELECT slot,events FROM history WHERE slot>=? AND slot<? ORDER BY slot",
            (key << _SLOT_BITS, (key + 1) << _SLOT_BITS),
        ).fetchall()
        next_chunk = (rows[-1][0] & _SLOT_MASK) + 1 if rows else 0
        return [row[1] for row in rows], next_chunk

    def append_history(self, key: int, chunk: int, events: str) -> None:
        self.db.execute("INSERT INTO history(slot,events) VALUES(?,?)", (key << _SLOT_BITS | chunk, events))

    def delete_history(self, key: int) -> None:
        self.db.execute("DELETE FROM history WHERE slot>=? AND slot<?", (key << _SLOT_BITS, (key + 1) << _SLOT_BITS))

    # Inbox: messages that an instance has not read yet, in order of arrival.

    def send(self, key: int, event: str) -> None:
        self.db.execute("INSERT INTO inbox(number,key,event) VALUES(?,?,?)", (self._next_message, key, event))
        self._next_message += 1

    def messages(self, key: int) -> list[tuple[int, str]]:
        rows = self.db.execute("SELECT number,event FROM inbox WHERE key=? ORDER BY number", (key,))
        return rows.fetchall()

    def delete_messages(self, key: int, up_to: int) -> None:
        self.db.execute("DELETE FROM inbox WHERE key=? AND number<=?", (key, up_to))

    def keys_with_messages(self, limit: int) -> list[int]:
        """Return the distinct keys of the oldest `limit` messages, oldest first."""
        rows = self.db.execute("SELECT key FROM inbox ORDER BY number LIMIT ?", (limit,))
        return list(dict.fromkeys(row[0] for row in rows))

    # Activities

    def add_activity(self, key: int, task_id: int, name: str, input_text: str | None) -> None:
        self.db.execute(
            "INSERT INTO activities(number,key,task_id,name,input) VALUES(?,?,?,?,?)",
            (self._next_activity, key, task_id, name, input_text),
        )
        self._next_activity += 1

    def activities(self, *, after: int, limit: int) -> list[ActivityCall]:
        """Return pending activities whose number is above `after`, oldest first."""
        rows = self.db.execute(
            "SELECT a.number,a.key,a.task_id,a.name,a.input,i.instance_id FROM activities a"
            " LEFT JOIN instances i ON i.key=a.key WHERE a.number>? ORDER BY a.number LIMIT ?",
            (after, limit),
        )
        return [ActivityCall._make(row) for row in rows]

    def delete_activity(self, number: int) -> bool:
        """Delete a pending activity. Return whether it existed, that is, whether this is its first result."""
        return self.db.execute("DELETE FROM activities WHERE number=?", (number,)).rowcount == 1

    # Timers

    def add_timer(self, key: int, task_id: int, fire_at: int) -> None:
        self.db.execute("INSERT INTO timers(slot,fire_at) VALUES(?,?)", (key << _SLOT_BITS | task_id, fire_at))

    def due_timers(self, now: int, limit: int) -> list[TimerDue]:
        rows = self.db.execute(
            f"SELECT t.slot,t.fire_at,i.instance_id {_FROM_TIMERS}"
            " WHERE t.fire_at<=? ORDER BY t.fire_at,t.slot LIMIT ?",
            (now, limit),
        )
        return [TimerDue._make(row) for row in rows]

    def next_timer(self) -> int | None:
        row = self.db.execute(f"SELECT t.fire_at {_FROM_TIMERS} ORDER BY t.fire_at LIMIT 1").fetchone()
        return None if row is None else int(row[0])

    def take_timer(self, slot: int) -> tuple[int, int] | None:
        """Delete a timer. Return its key and task id, or `None` if it was canceled or has already fired."""
        if self.db.execute("DELETE FROM timers WHERE slot=?", (slot,)).rowcount == 0:
            return None
        return slot >> _SLOT_BITS, slot & _SLOT_MASK

    def delete_timer(self, key: int, task_id: int) -> None:
        self.db.execute("DELETE FROM timers WHERE slot=?", (key << _SLOT_BITS | task_id,))

    def delete_timers(self, key: int) -> None:
        self.db.execute("DELETE FROM timers WHERE slot>=? AND slot<?", (key << _SLOT_BITS, (key + 1) << _SLOT_BITS))

    def _next_number(self, table: str) -> int:
        row = self.db.execute(f"SELECT coalesce(max(number),0)+1 FROM {table}").fetchone()  # noqa: S608
        return int(row[0])


# A slot combines the instance's key and a number within the instance in one integer. Rows of one instance are adjacent
# and need no second index. 2^20 episodes or ids per execution is ten times the limit of Durable Functions
# (maxOrchestrationActions, 100,000).
_SLOT_BITS = 20
_SLOT_MASK = (1 << _SLOT_BITS) - 1

_FROM_TIMERS = f"FROM timers t JOIN instances i ON i.key=t.slot>>{_SLOT_BITS}"
"""Timers with their instances; one whose instance is gone is never delivered, and must not be waited for."""

# Checkpoint every 16 MB instead of every 4, because each checkpoint waits for a disk flush.
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
