"""One container group of this machine: its directory, and the rule that it has at most one main process, ever.

    ROOT/<group>/
      group.json   tags, job, attempt, place, creation time, command, size; never a value of `secure_env` (I8)
      lock         held (flock) by whoever is starting the group, then by every process of it
      pid          of the recorder; its existence means "was started", once and for all
      log          output of the main process
      exit_code    of the main process, complete once it ends with a newline
      deleting     a delete was asked for
      metrics.jsonl
      work/        the directory that the main process starts in

The lock answers "does anything of it live?" without pids: its file descriptor is inherited by the whole group, the
kernel drops it with the last process that holds it, and a restarted machine has none. A pid that is used again by a
stranger therefore never looks like a running group.

The main process is started by a shell script of a few lines, the *recorder*. It outlives whoever started it, because
it leads a session of its own; it writes the exit code down; and it ends the rest of its process group when the main
process ends, as a container does. It costs about 1 ms (dash) and a few hundred kilobytes.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

MARK = "MAYFLY_GROUP_DIRECTORY"
"""In the environment of every process of a group, with its directory as the value: how strays are found."""

# `set -C` makes the creation of `pid` exclusive: of two recorders, the second leaves without doing anything.
# The trap keeps the shell alive through a signal to the group; unlike an ignored signal it is not inherited.
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
    """The files of one group. Nothing here is remembered between calls: the directory is the state."""

    def __init__(self, root: Path, group: str) -> None:
        self.root = root
        self.group = group
        self.path = root / group

    def record(self, facts: Mapping[str, object]) -> None:
        """Create the directory with `group.json` in it, at once or not at all. An existing one is left as it is."""
        if self.path.exists():
            return
        fresh = self.root / f".new-{uuid.uuid4().hex}"
        (fresh / "work").mkdir(parents=True, mode=0o700)
        fresh.chmod(0o700)
        try:
            (fresh / "group.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
            (fresh / "lock").touch()
            # A directory is never renamed over one that holds files, so the first of two creators wins.
            fresh.rename(self.path)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            if not self.path.exists():
                raise

    def facts(self) -> dict[str, object] | None:
        """Return `group.json`, or None when there is no such group."""
        try:
            text = (self.path / "group.json").read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        facts = json.loads(text)
        return facts if isinstance(facts, dict) else None

    def try_lock(self) -> int | None:
        """Take the lock; None when somebody has it. The lock is held until the returned descriptor is closed.

        Errors: FileNotFoundError when the group is gone.
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
        """Say whether this is still the group's lock, and not that of one that was removed meanwhile."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path / "lock"))
        except FileNotFoundError:
            return False

    def alive(self) -> bool:
        """Say whether anything of a started group lives. Only of a started one: a look must not stop a start."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            # Shared, so that two who look at the same time do not take each other for the group.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def spawn(
        self, lock: int, argv: Sequence[str], *, env: Mapping[str, str], data_kb: int, cwd: Path | None
    ) -> subprocess.Popen[bytes]:
        """Start the recorder with the main process `argv`. The caller holds `lock` and has seen no `pid`.

        Units: `data_kb` limits the private memory of each process (RLIMIT_DATA); 0 is no limit.
        Errors: OSError and ValueError as from `subprocess.Popen`; nothing was started then.
        """
        facts = [str(self.path), str(cwd or self.path / "work"), str(data_kb)]
        return subprocess.Popen(
            ["/bin/sh", "-c", _RECORDER, "mayfly-recorder", *facts, *argv],
            env={**env, MARK: str(self.path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # No descriptor of the host goes along (its listening sockets!), only the lock.
            close_fds=True,
            pass_fds=(lock,),
            # Ctrl-C, a hang-up or the death of the host do not reach another session.
            start_new_session=True,
        )

    def started_at(self) -> datetime | None:
        return _modified_at(self.path / "pid")

    def recorder_pid(self) -> int | None:
        return _whole_number(self.path / "pid")

    def exit_code(self) -> int | None:
        return _whole_number(self.path / "exit_code")

    def exited_at(self) -> datetime | None:
        return _modified_at(self.path / "exit_code")

    def deleting(self) -> bool:
        return (self.path / "deleting").exists()

    def mark_deleting(self) -> bool:
        """Note that a delete was asked for; False when there is no such group."""
        try:
            (self.path / "deleting").touch()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def remove_if_abandoned(self) -> bool:
        """Take away what a host left that was killed between recording and starting; say whether it is away.

        Whoever starts a group holds its lock until the group itself does. So one that was not started and whose lock
        is free is nobody's, and nothing would ever come of it.

        Errors: FileNotFoundError when the group is gone.
        """
        lock = self.try_lock()
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
        """Take the directory away in one step, then empty it. What a killed host leaves half emptied has no name."""
        away = self.root / f".gone-{uuid.uuid4().hex}"
        try:
            self.path.rename(away)
        except FileNotFoundError:
            return
        shutil.rmtree(away, ignore_errors=True)


def sweep(root: Path, *, older_than_s: float, now_s: float) -> None:
    """Remove what hosts that were killed half way have left: `.new-*` and `.gone-*` of some age."""
    for entry in os.scandir(root):
        if entry.name.startswith((".new-", ".gone-")):
            try:
                old = now_s - entry.stat().st_mtime > older_than_s
            except FileNotFoundError:
                continue
            if old:
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
