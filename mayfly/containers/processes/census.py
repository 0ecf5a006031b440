"""Which processes of this machine belong to which group? One census of all processes serves every group.

A process belongs to a group if its session was started inside that group. Sessions are inherited and cannot be joined,
so the environment of the session's leader decides for all its members. This finds a process that left its process group
or started a new session (`setsid`), even if its parent has changed. It takes 25 µs per session.

Not found: a process that started a session with an empty environment. `holders` finds it by the group's lock, unless
it has closed the lock as well. Such a process has detached itself in three separate steps.
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
    """The processes of every group. Zombies do not count.

    Units: `taken_at` is the start of the census, in seconds since the epoch.
    """

    taken_at: float
    by_directory: dict[str, list[int]]

    def members(self, directory: Path) -> Sequence[int]:
        """Return the pids of the group with this directory, oldest session first."""
        return self.by_directory.get(str(directory), [])


def take_census(variable: str) -> Census:
    """Examine every process. The environment variable `variable` holds the directory of its group."""
    taken_at = time.time()
    sessions: dict[int, list[int]] = {}
    for pid in psutil.pids():
        try:
            session = os.getsid(pid)
        except OSError:
            continue
        if session > 0:  # 0: a kernel thread
            sessions.setdefault(session, []).append(pid)
    by_directory: dict[str, list[int]] = {}
    for session, pids in sorted(sessions.items()):
        # The leader decides for its session. If it has ended, the first readable member does.
        for witness in sorted(pids, key=lambda pid: pid != session):
            if environment := _environment(witness):
                directory = _value_in(environment, variable)
                if directory is not None:
                    living = by_directory.setdefault(directory, [])
                    living.extend(pid for pid in pids if not _is_zombie(pid))
                break
    return Census(taken_at=taken_at, by_directory=by_directory)


def holders(path: Path) -> Sequence[int]:
    """Return the pids of other processes that have this file open. Slow: it checks all descriptors of all processes."""
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

    Memory is the sum of the resident sets, so a page shared by several processes counts several times.
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


def _value_in(environment: bytes, name: str) -> str | None:
    """Return one variable of a NUL-separated environment.

    >>> _value_in(b"A=1\\0B=2\\0", "B"), _value_in(b"AB=1\\0", "B")
    ('2', None)
    """
    _, found, rest = (b"\0" + environment).partition(f"\0{name}=".encode())
    return os.fsdecode(rest.partition(b"\0")[0]) if found else None


def _is_zombie(pid: int) -> bool:
    """Say whether this process has ended and waits to be reaped, or is already gone."""
    try:
        if _LINUX:
            with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
                # proc_pid_stat(5): the state follows the name, which may contain parentheses.
                return file.read().rpartition(b")")[2][1:2] in b"ZX"
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except (OSError, psutil.Error):
        return True
