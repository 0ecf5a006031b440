"""Find the processes of this machine that belong to the jobs or to the host of a data folder."""

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
    """Return the pids of processes that jobs of this data folder left, by their session's mark or their folder."""
    root = f"{(data / 'containers').resolve()}{os.sep}"
    by_directory = take_census(DIRECTORY_VARIABLE).by_directory
    found = {pid for name, pids in by_directory.items() if name.startswith(root) for pid in pids}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and f"{process.cwd()}{os.sep}".startswith(root):
                found.add(process.pid)
    return sorted(found)


def processes_on(data: Path) -> Sequence[int]:
    """Return the pids of other processes of this data folder: its host, and the processes that the host started."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get("MAYFLY_DATA") == str(data):
                found.append(process.pid)
    return found


def kill_jobs(data: Path) -> None:
    """Kill the processes that jobs left behind, after a run was aborted."""
    for pid in processes_of_jobs(data):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def described(pid: int) -> str:
    """Return the pid and command line of a process, for people."""
    try:
        return f"process {pid}: {' '.join(psutil.Process(pid).cmdline())}"
    except psutil.Error:
        return f"process {pid}"
