"""The directory of one container group of this machine, and the rule that a group starts at most one main process.

    ROOT/<group>/
      group.json   job, attempt, place, creation time, command, size; never a value of `secure_env` (I8)
      lock         held (flock) by the host that starts the group, then by every process of the group
      pid          of the recorder; if it exists, the group was started, and will not be started again
      log          output of the main process
      exit_code    of the main process; complete once it ends with a newline
      deleting     deletion was requested
      metrics.jsonl
      work/        the directory that the main process starts in

The lock shows whether any process of the group is alive, without pids. The whole group inherits its file descriptor,
the kernel releases the lock with the last process that holds it, and a restarted machine holds none. So a pid that was
reused by another process never looks like a running group.

A shell script of a few lines, the *recorder*, starts the main process. It leads its own session, so it outlives the
host that started it. It records the exit code, and when the main process ends it ends the rest of its process group, as
a container does. It costs about 1 ms (dash) and a few hundred kilobytes.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DIRECTORY_VARIABLE = "MAYFLY_GROUP_DIRECTORY"
"""The variable in the environment of every process of a group that holds its directory; orphans are found by it."""

# `set -C` makes the creation of `pid` exclusive: the second of two recorders exits without doing anything.
# The trap keeps the shell alive through a signal to the group; unlike an ignored signal, it is not inherited.
_RECORDER = """\
group=$1 cwd=$2 data_kb=$3
shift 3
[ -e "$group/deleting" ] && exit 0
set -C
echo $$ >"$group/pid" || exit 0
set +C
trap : TERM INT HUP
[ "$data_kb" -gt 0 ] && ulimit -d "$data_kb"
cd "$cwd" 2>>"$group/log" && "$@" >>"$group/log" 2>&1
echo $? >"$group/exit_code"
kill -9 -$$
"""


class GroupDirectory:
    """The files of one group. The directory is the state; the object keeps none."""

    def __init__(self, root: Path, group: str) -> None:
        self.root = root
        self.group = group
        self.path = root / group

    def record(self, facts: Mapping[str, object]) -> None:
        """Create the directory with `group.json` in it, atomically. An existing directory is left unchanged."""
        if self.path.exists():
            return
        fresh = self.root / f".new-{uuid.uuid4().hex}"
        (fresh / "work").mkdir(parents=True, mode=0o700)
        fresh.chmod(0o700)
        try:
            (fresh / "group.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
            (fresh / "lock").touch()
            # A directory cannot be renamed over one that has files, so the first of two creators wins.
            fresh.rename(self.path)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            if not self.path.exists():
                raise

    def facts(self) -> dict[str, Any] | None:
        """Return `group.json`; None if there is no such group."""
        try:
            facts: dict[str, Any] = json.loads((self.path / "group.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        return facts

    def try_lock(self) -> int | None:
        """Take the lock and return its descriptor, which holds it until it is closed; None if another process has it.

        Errors: FileNotFoundError if the group is gone.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if not self._is_lock(descriptor):
            os.close(descriptor)
            raise FileNotFoundError(self.path)
        return descriptor

    def _is_lock(self, descriptor: int) -> bool:
        """Say whether this is still the lock of the group, which may have been removed in the meantime."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path / "lock"))
        except FileNotFoundError:
            return False

    def alive(self) -> bool:
        """Say whether any process of a started group is alive. Call it only after the start, which it could prevent."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            # Shared, so that two callers at the same time do not mistake each other for the group.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def spawn(
        self, lock: int, argv: Sequence[str], *, env: Mapping[str, str], data_kb: int, cwd: Path | None
    ) -> subprocess.Popen[bytes]:
        """Start the recorder with the main process `argv`. The caller holds `lock`, and `pid` does not exist.

        Units: `data_kb` limits the private memory of each process (RLIMIT_DATA); 0 means unlimited.
        Errors: OSError and ValueError, as from `subprocess.Popen`; nothing was started.
        """
        facts = [str(self.path), str(cwd or self.path / "work"), str(data_kb)]
        return subprocess.Popen(
            ["/bin/sh", "-c", _RECORDER, "mayfly-recorder", *facts, *argv],
            env={**env, DIRECTORY_VARIABLE: str(self.path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Pass only the lock, and no other descriptor of the host, such as its listening sockets.
            close_fds=True,
            pass_fds=(lock,),
            # Ctrl-C, a hang-up and the end of the host do not reach another session.
            start_new_session=True,
        )

    def started_at(self) -> datetime | None:
        """Return when the recorder started; None if it did not."""
        return _modified_at(self.path / "pid")

    def recorder_pid(self) -> int | None:
        """Return the recorder's pid; None if it did not start."""
        return _whole_number(self.path / "pid")

    def exit_code(self) -> int | None:
        """Return the exit code of the main process; None if it is not recorded."""
        return _whole_number(self.path / "exit_code")

    def exited_at(self) -> datetime | None:
        """Return when the main process ended; None if that is not recorded."""
        return _modified_at(self.path / "exit_code")

    def deleting(self) -> bool:
        """Say whether deletion was requested."""
        return (self.path / "deleting").exists()

    def mark_deleting(self) -> bool:
        """Record that deletion was requested; False if there is no such group."""
        try:
            (self.path / "deleting").touch()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def remove_if_abandoned(self) -> bool:
        """Remove a group that was recorded but not started, because its host was killed; say whether it is gone.

        The host that starts a group holds the lock until the group does. So a group that was not started and whose lock
        is free has no host, and will never start.
        """
        try:
            lock = self.try_lock()
        except FileNotFoundError:
            return True
        if lock is None:
            return False
        try:
            if self.started_at() is not None:
                return False
            self.remove()
            return True
        finally:
            os.close(lock)

    def remove(self) -> None:
        """Remove the directory atomically, then delete its files. `sweep` finishes that if the host is killed."""
        removed = self.root / f".gone-{uuid.uuid4().hex}"
        try:
            self.path.rename(removed)
        except FileNotFoundError:
            return
        shutil.rmtree(removed, ignore_errors=True)


def sweep(root: Path, *, older_than_s: float, now_s: float) -> None:
    """Remove the `.new-*` and `.gone-*` directories that killed hosts have left, once they are old enough."""
    for entry in os.scandir(root):
        if entry.name.startswith((".new-", ".gone-")):
            with suppress(FileNotFoundError):
                if now_s - entry.stat().st_mtime > older_than_s:
                    shutil.rmtree(entry.path, ignore_errors=True)


def _whole_number(path: Path) -> int | None:
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return int(text) if text.endswith(b"\n") else None


def _modified_at(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (FileNotFoundError, NotADirectoryError):
        return None
