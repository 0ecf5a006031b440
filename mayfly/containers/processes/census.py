"""Which processes of this machine belong to which group: one look at all of them serves every group.

A process belongs to a group when the session that it is in was begun inside that group: sessions are inherited and
cannot be joined, so the environment of the session's leader settles it for all. That finds a process that left its
process group or began a session of its own (`setsid`), whoever its parent is by now. It takes 25 µs per session.

Not found: a process that began a session with an emptied environment. `holders` finds it by the group's lock, unless
it has closed that too; such a process has made itself a stranger with three separate steps.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_LINUX = sys.platform == "linux"


@dataclass(frozen=True, kw_only=True)
class Census:
    """`taken_at` is when the look began, in seconds since the epoch. Zombies are not counted as processes."""

    taken_at: float
    by_directory: dict[str, list[int]]

    def members(self, directory: Path) -> Sequence[int]:
        """Return the pids of the group with that directory, the oldest session first."""
        return self.by_directory.get(str(directory), [])


def take_census(mark: str) -> Census:
    """Look at every process. `mark` is the environment variable that holds the group's directory."""
    taken_at = time.time()
    sessions: dict[int, list[int]] = {}
    for pid in psutil.pids():
        try:
            session = os.getsid(pid)
        except OSError:
            continue
        if session > 0:  # 0: a thread of the kernel
            sessions.setdefault(session, []).append(pid)
    by_directory: dict[str, list[int]] = {}
    for session, pids in sorted(sessions.items()):
        # The leader speaks for its session; when it has ended, whoever answers first.
        for witness in sorted(pids, key=lambda pid: pid != session):
            if environment := _environment(witness):
                directory = _variable(environment, mark)
                if directory is not None:
                    living = by_directory.setdefault(directory, [])
                    living.extend(pid for pid in pids if not _is_zombie(pid))
                break
    return Census(taken_at=taken_at, by_directory=by_directory)


def holders(path: Path) -> Sequence[int]:
    """Return the pids of other processes that have this file open. Slow (every descriptor of every process)."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and any(file.path == str(path) for file in process.open_files()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def usage_of(pids: Sequence[int]) -> tuple[float, int]:
    """Return the CPU seconds that these processes and their ended children have used, and their memory in bytes.

    Memory is the sum of the resident sets, so a page that several share counts for each.
    """
    cpu_s, memory_bytes = 0.0, 0
    for pid in pids:
        try:
            process = psutil.Process(pid)
            cpu_s += sum(process.cpu_times()[:4])
            memory_bytes += process.memory_info().rss
        except psutil.Error:
            continue
    return cpu_s, memory_bytes


def _environment(pid: int) -> bytes:
    try:
        if _LINUX:
            with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
                return file.read()
        pairs = psutil.Process(pid).environ()
    except (OSError, psutil.Error):
        return b""
    return b"".join(os.fsencode(f"{name}={value}\0") for name, value in pairs.items())


def _variable(environment: bytes, name: str) -> str | None:
    """Return one variable of a NUL-separated environment.

    >>> _variable(b"A=1\\0B=2\\0", "B"), _variable(b"AB=1\\0", "B")
    ('2', None)
    """
    _, found, rest = (b"\0" + environment).partition(f"\0{name}=".encode())
    return os.fsdecode(rest.partition(b"\0")[0]) if found else None


def _is_zombie(pid: int) -> bool:
    """Say whether this process has ended and only waits to be reaped, or is gone already."""
    try:
        if _LINUX:
            with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
                # proc_pid_stat(5): the state follows the name, which may hold parentheses itself.
                return file.read().rpartition(b")")[2][1:2] in b"ZX"
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except (OSError, psutil.Error):
        return True
