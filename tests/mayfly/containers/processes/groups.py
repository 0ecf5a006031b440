"""Groups of real processes whose worker is nothing but its command."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from mayfly.containers.processes.census import take_census
from mayfly.containers.processes.group_directory import DIRECTORY_VARIABLE
from mayfly.containers.processes.runtime import ProcessRuntime
from mayfly.containers.runtime import GroupRequest, GroupStatus
from tests.waiting import until

PLACE = "local"
RUN_THE_COMMAND = ["/bin/sh", "-c", 'shift; exec "$@"', "worker"]
"""A worker that is nothing but its command, so that these tests are about processes alone."""


def request_for(
    group: str, *command: str, place: str = PLACE, memory_gb: float = 1.0, **secure_env: str
) -> GroupRequest:
    return GroupRequest(
        group=group,
        place=place,
        job_id="job",
        attempt=1,
        image=None,
        command=command,
        env={"GREETING": "hello"},
        secure_env=secure_env,
        cpu=1.0,
        memory_gb=memory_gb,
    )


def new_runtime(root: Path, **options: float) -> ProcessRuntime:
    return ProcessRuntime(root, worker_command=RUN_THE_COMMAND, **{"grace_s": 0.3, **options})  # type: ignore[arg-type]


def members(root: Path, group: str) -> Sequence[int]:
    return take_census(DIRECTORY_VARIABLE).members(root.resolve() / group)


def status_of(runtime: ProcessRuntime, group: str) -> GroupStatus | None:
    return asyncio.run(runtime.inspect(group, place=PLACE))


def ended(runtime: ProcessRuntime, group: str) -> GroupStatus:
    statuses: list[GroupStatus | None] = []

    def exited() -> bool:
        statuses.append(status_of(runtime, group))
        return statuses[-1] is not None and statuses[-1].phase == "exited"

    until(exited)
    assert statuses[-1] is not None
    return statuses[-1]


def delete(runtime: ProcessRuntime, group: str) -> None:
    asyncio.run(runtime.delete(group, place=PLACE))


def log_of(runtime: ProcessRuntime, group: str) -> str:
    tail = asyncio.run(runtime.logs(group, place=PLACE, bytes_max=100_000))
    assert tail is not None
    return tail.text


def create_in_a_child(root: Path, request: GroupRequest, gate: int, done: int | None = None) -> int:
    """Fork a host that waits at the gate (a pipe), creates the group, writes a byte to `done` and stays."""
    pid = os.fork()
    if pid == 0:
        try:
            os.read(gate, 1)
            asyncio.run(new_runtime(root).create(request))
            if done is not None:
                os.write(done, b"x")
            signal.pause()
        finally:
            os._exit(0)
    return pid


def kill_host(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def counted(group: str, tmp_path: Path) -> tuple[GroupRequest, Path]:
    starts = tmp_path / f"starts-of-{group}"
    return request_for(group, "sh", "-c", f"echo started >>{starts}; sleep 600"), starts
