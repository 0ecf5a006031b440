"""Which processes of this machine belong to a data folder: to its jobs, or to its host."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import psutil

from mayfly.containers.processes.census import take_census
from mayfly.containers.processes.group_directory import DIRECTORY_VARIABLE


def processes_of_jobs(data: Path) -> Sequence[int]:
    """Return the pids that jobs of this data folder have left: by their session's mark, or by where they are."""
    root = f"{(data / 'containers').resolve()}{os.sep}"
    by_directory = take_census(DIRECTORY_VARIABLE).by_directory
    found = {pid for name, pids in by_directory.items() if name.startswith(root) for pid in pids}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and f"{process.cwd()}{os.sep}".startswith(root):
                found.add(process.pid)
    return sorted(found)


def processes_on(data: Path) -> Sequence[int]:
    """Return the pids of other processes that were started for this data folder: its host, and what that started."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get("MAYFLY_DATA") == str(data):
                found.append(process.pid)
    return found


def kill_jobs(data: Path) -> None:
    """Kill what jobs have left, when the run that they belong to is given up."""
    for pid in processes_of_jobs(data):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def named(pid: int) -> str:
    """Return a process for people: its pid and its command line."""
    try:
        return f"process {pid}: {' '.join(psutil.Process(pid).cmdline())}"
    except psutil.Error:
        return f"process {pid}"
