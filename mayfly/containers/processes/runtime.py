"""Container groups as processes of this machine: the adapter of `ContainerRuntime` that needs no account and no Docker.

A group is a process group with its own session and its own directory; `group_directory.py` has the layout and the rule
of one main process. All state is in that directory, so a restarted host finds every group again. If the host is killed
at any moment, repeating the interrupted call completes it.

Limits: this is not a sandbox. A group runs as the user of the host and can read that user's files. `image` is recorded
but ignored. On Linux, memory is limited per process and not per group (RLIMIT_DATA: private writable memory, including
thread stacks, even if untouched). CPU is not limited. There is only one place: `place` is recorded, and a group is
found by its name alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mayfly.containers.processes.census import Census, holders, take_census
from mayfly.containers.processes.group_directory import DIRECTORY_VARIABLE, GroupDirectory, sweep
from mayfly.containers.processes.log import read_tail
from mayfly.containers.processes.metrics import add_sample, read_samples
from mayfly.containers.processes.refusals import refusal_of
from mayfly.containers.runtime import (
    Capabilities,
    GroupListing,
    GroupRequest,
    GroupStatus,
    LogTail,
    MetricSample,
    check_group_name,
    is_group_name,
)
from mayfly.errors import RuntimeUnavailable

_LOCALE = ("LANG", "LC_ALL", "LC_CTYPE", "TZ")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
BASE_ENVIRONMENT = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SYSTEMROOT", *_LOCALE, *_CERTIFICATES)
"""The only variables that a group inherits from the host; the others come from its request."""

_STEP_S = 0.02
_START_WAIT_S = 5.0
_KILL_WAIT_S = 10.0
_SWEEP_AFTER_S = 60.0
_CENSUS_AGE_S = 0.25
_FILE_TIME_LAG_S = 0.1

# By directory, for the whole process: only its parent can reap a child, whichever runtime started it. Every call reaps,
# so no thread or watcher is needed. A double fork would leave reaping to PID 1, and in a container PID 1 may be this
# host.
_children: dict[Path, subprocess.Popen[bytes]] = {}


class ProcessRuntime:
    """Run each group as processes of this machine.

    Shapes: `worker_command` starts the worker, such as `[sys.executable, "-I", "-S", ".../worker/__main__.py"]`; a
    job's command follows after `--`. `work_directory` is where the main process starts; None gives each group an empty
    directory that is removed with it.
    Units: `grace_s` is the time between SIGTERM and SIGKILL. The worker truncates its log once it exceeds
    `log_bytes_max`; a `worker_command` that ignores `MAYFLY_LOG_BYTES_MAX` has no such limit.
    """

    def __init__(
        self,
        root: Path,
        *,
        worker_command: Sequence[str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        grace_s: float = 2.0,
        log_bytes_max: int = 64 << 20,
        work_directory: Path | None = None,
    ) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._root = root.resolve()
        self._worker_command = tuple(worker_command)
        self._clock = clock
        self._grace_s = grace_s
        self._log_bytes_max = log_bytes_max
        self._work_directory = work_directory
        self._census: Census | None = None

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            runs_images=False, enforces_memory=sys.platform == "linux", enforces_cpu=False, live_metrics=True
        )

    async def create(self, request: GroupRequest) -> None:
        """See `ContainerRuntime.create`. Called twice, concurrently or after a crash, it starts one main process."""
        check_group_name(request.group)
        directory = GroupDirectory(self._root, request.group)
        _reap_all()
        try:
            directory.record(self._facts(request))
        except OSError as error:
            raise refusal_of(error) from error
        give_up = time.monotonic() + _START_WAIT_S
        while not self._start_once(directory, request):
            # Another host holds the lock and is about to start the group. If it dies, the lock is free and we start it.
            if time.monotonic() > give_up:
                raise RuntimeUnavailable(f"group {request.group} is being started by another host, but does not start")
            await asyncio.sleep(_STEP_S)

    async def inspect(self, group: str, *, place: str) -> GroupStatus | None:  # noqa: ARG002
        directory = self._directory(group)
        if directory is None or not directory.path.exists():
            return None
        _reap(directory.path)
        started_at = directory.started_at()
        deleting = directory.deleting()
        if started_at is None:
            gone = directory.remove_if_abandoned()
            return None if gone else GroupStatus(group=group, phase="pending", deleting=deleting, exit_code=None)
        exit_code = directory.exit_code()
        if exit_code is None and directory.alive():
            return GroupStatus(group=group, phase="running", deleting=deleting, exit_code=None, started_at=started_at)
        if exit_code is None:
            exit_code = directory.exit_code()  # it may have ended between the two checks
        if not directory.path.exists():
            return None
        return GroupStatus(
            group=group,
            phase="exited",
            deleting=deleting,
            exit_code=exit_code,
            started_at=started_at,
            exited_at=directory.exited_at(),
            detail=_exit_detail(exit_code),
        )

    async def logs(self, group: str, *, place: str, bytes_max: int) -> LogTail | None:  # noqa: ARG002
        directory = self._directory(group)
        if directory is None or not directory.path.exists():
            return None
        return read_tail(directory.path / "log", bytes_max)

    async def metrics(self, group: str, *, place: str) -> Sequence[MetricSample]:  # noqa: ARG002
        """See `ContainerRuntime.metrics`. Takes at most one new sample per half second."""
        directory = self._directory(group)
        if directory is None:
            return []
        path = directory.path / "metrics.jsonl"
        started_at = directory.started_at()
        runs = started_at is not None and directory.exit_code() is None
        members = self._members(directory, not_before=_since(directory)) if runs else ()
        if started_at is None or not members:
            return read_samples(path)
        try:
            return add_sample(path, members, started_at=started_at, now=self._clock())
        except FileNotFoundError:
            return []  # it was deleted in the meantime

    async def delete(self, group: str, *, place: str) -> bool:  # noqa: ARG002
        """See `ContainerRuntime.delete`. Ends every process of the group and removes its directory before it returns.

        Errors: `RuntimeUnavailable` if a process does not die, because it hangs in the kernel; the group stays,
        `deleting`.
        """
        directory = self._directory(group)
        if directory is None or not directory.mark_deleting():
            return True
        try:
            await self._end_gently(directory)
            lock = await self._kill_all(directory)
        except FileNotFoundError:
            return True  # another delete was faster
        try:
            directory.remove()
        finally:
            os.close(lock)
        _reap(directory.path)
        return True

    async def list(self) -> Sequence[GroupListing]:
        _reap_all()
        sweep(self._root, older_than_s=_SWEEP_AFTER_S, now_s=time.time())
        listings = []
        for name in filter(is_group_name, sorted(os.listdir(self._root))):
            directory = GroupDirectory(self._root, name)
            facts = directory.facts()
            if facts is not None and (directory.started_at() is not None or not directory.remove_if_abandoned()):
                listing = GroupListing(
                    group=name,
                    place=facts["place"],
                    job_id=facts["job_id"],
                    attempt=int(facts["attempt"]),
                    created_at=datetime.fromisoformat(facts["created_at"]),
                )
                listings.append(listing)
        return listings

    def _directory(self, group: str) -> GroupDirectory | None:
        """Return the directory of a group; None for an invalid name."""
        return GroupDirectory(self._root, group) if is_group_name(group) else None

    def _facts(self, request: GroupRequest) -> Mapping[str, object]:
        secrets = [value for value in request.secure_env.values() if value]
        return {
            "job_id": request.job_id,
            "attempt": request.attempt,
            "place": request.place,
            "created_at": self._clock().isoformat(),
            "image": request.image,
            # A spec holds references only; this is for the one who put the value itself on the command line.
            "command": ["***" if any(secret in word for secret in secrets) else word for word in request.command],
            "cpu": request.cpu,
            "memory_gb": request.memory_gb,
        }

    def _start_once(self, directory: GroupDirectory, request: GroupRequest) -> bool:
        """Start the group unless it was started before. False: another host is about to start it; try again."""
        if directory.started_at() is not None or directory.deleting():
            return True
        try:
            lock = directory.try_lock()
        except FileNotFoundError:
            return True  # deleted in the meantime
        if lock is None:
            return directory.started_at() is not None
        try:
            if directory.started_at() is None and not directory.deleting():
                argv = [*self._worker_command, *(["--", *request.command] if request.command else [])]
                child = directory.spawn(
                    lock,
                    argv,
                    env=self._environment(request),
                    data_kb=max(1024, math.ceil(request.memory_gb * (1 << 20))),
                    cwd=self._work_directory,
                )
                _children[directory.path] = child
        except (OSError, ValueError) as error:
            directory.remove()
            raise refusal_of(error) from error
        finally:
            os.close(lock)
        return True

    def _environment(self, request: GroupRequest) -> Mapping[str, str]:
        base = {name: os.environ[name] for name in BASE_ENVIRONMENT if name in os.environ}
        limits = {"MAYFLY_LOG_BYTES_MAX": str(self._log_bytes_max)}
        return {**base, **limits, **request.env, **request.secure_env}

    def _members(self, directory: GroupDirectory, *, not_before: float) -> Sequence[int]:
        """Return the live processes of a group, from a census that was taken no earlier than `not_before`.

        A census is shared, so that many deletes at once need few of them. A new one is always recent enough.
        """
        if self._census is None or self._census.taken_at < min(not_before, time.time()):
            self._census = take_census(DIRECTORY_VARIABLE)
        return self._census.members(directory.path)

    async def _end_gently(self, directory: GroupDirectory) -> None:
        """Send SIGTERM to the process group of the main process, as a platform does, and wait for it to end."""
        recorder = directory.recorder_pid()
        if recorder is None or directory.exit_code() is not None or not directory.alive():
            return
        members = self._members(directory, not_before=_since(directory))
        _send([pid for pid in members if _process_group(pid) == recorder] or members, signal.SIGTERM)
        end = time.monotonic() + self._grace_s
        # The parent of the process may be gone, so no event would be set at its end.
        while time.monotonic() < end and directory.exit_code() is None and directory.alive():  # noqa: ASYNC110
            await asyncio.sleep(_STEP_S)

    async def _kill_all(self, directory: GroupDirectory) -> int:
        """Kill until nothing is left, and return the lock, so that nothing can be started again.

        Only members start members. So once a census has found none, there will be none, even if the census is old.
        """
        end = time.monotonic() + _KILL_WAIT_S
        since = _since(directory)
        while True:
            _reap(directory.path)
            lock = directory.try_lock()
            started = directory.recorder_pid() is not None
            members = self._members(directory, not_before=since) if started else []
            if lock is not None and not members:
                return lock
            if lock is not None:
                os.close(lock)
            elif started and not members:
                members = holders(directory.path / "lock")
            _send(members, signal.SIGKILL)
            since = time.time()
            if time.monotonic() > end:
                raise RuntimeUnavailable(f"group {directory.group} does not end: processes {list(members)} remain")
            await asyncio.sleep(_STEP_S / 4)


def _since(directory: GroupDirectory) -> float:
    """Return the earliest start of a census that is valid for the group: after the group's start, and after its end.

    The census of a running group must also be recent, because pids are reused.

    Units: seconds since the epoch. File times lag the clock by a few milliseconds.
    """
    at = directory.exited_at() or directory.started_at()
    begun = math.inf if at is None else at.timestamp() + _FILE_TIME_LAG_S
    return begun if directory.exit_code() is not None else max(begun, time.time() - _CENSUS_AGE_S)


def _exit_detail(exit_code: int | None) -> str:
    if exit_code is None:
        return "its processes ended without an exit code: all were killed at once, or the machine restarted"
    if exit_code > 128:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(exit_code - 128).name}"
    return ""


def _reap(path: Path) -> None:
    child = _children.get(path)
    if child is not None and child.poll() is not None:
        _children.pop(path, None)


def _reap_all() -> None:
    for path in list(_children):
        _reap(path)


def _send(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _process_group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
