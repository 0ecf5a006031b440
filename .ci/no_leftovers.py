"""Run a command, and fail if any process that it started is still there after it: `no_leftovers.py COMMAND...`.

Linux only. It makes itself the parent of every orphan below it (prctl(2), PR_SET_CHILD_SUBREAPER), so a process cannot
hide in another session, behind a double fork or with an empty environment. Leftover processes are named and killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_SET_CHILD_SUBREAPER = 36
_GRACE_S = 15.0
"""For what was asked to stop just now."""


def main(command: list[str]) -> int:
    """Return the exit code of the command, or 1 when it was 0 and something is left."""
    if ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
    code = _wait_for(subprocess.Popen(command).pid)
    give_up = time.monotonic() + _GRACE_S
    while _reap_and_find() and time.monotonic() < give_up:
        time.sleep(0.1)
    left = _reap_and_find()
    for pid in left:
        print(f"left behind: process {pid}: {_command_of(pid)}", file=sys.stderr)
        os.kill(pid, signal.SIGKILL)
    return code or int(bool(left))


def _wait_for(pid: int) -> int:
    """Wait for a child while reaping the orphans, as an init process does. Return its exit code."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def _reap_and_find() -> list[int]:
    """Reap the orphans that have ended, and return all processes below this one."""
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        for pid in _children_of(waiting.pop()):
            found.append(pid)
            waiting.append(pid)
    running = []
    for pid in found:
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == 0:
                running.append(pid)
        except ChildProcessError:  # the child of an orphan, and the orphan's to reap
            running.append(pid)
    return running


def _children_of(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has just ended
        return []


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "ended"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
