"""The contents of the fake's groups: a timetable of events, or real worker processes of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mayfly.containers.aci.runtime import WORKER_COMMAND
from mayfly.containers.processes.runtime import ProcessRuntime
from mayfly.containers.runtime import GroupRequest


@dataclass(frozen=True, kw_only=True)
class Inside:
    """The parameters of a container."""

    group: str
    image: str
    command: Sequence[str]
    env: Mapping[str, str]
    """Secure values too: only what runs inside sees them."""
    cpu: float
    memory_gb: float


@dataclass(frozen=True, kw_only=True)
class Run:
    """The state of a container."""

    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    output: str = ""


class Backing(Protocol):
    async def start(self, inside: Inside, at: datetime) -> None:
        """Begin at that time, which may be in the future."""
        ...

    async def look(self, group: str) -> Run: ...

    async def stop(self, group: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Course:
    """How long a container runs, and how it ends."""

    run_s: float = 3.0
    exit_code: int = 0
    output: str = ""


class TimedBacking:
    """Containers whose life is a function of the clock."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        course: Callable[[Inside], Course] = lambda _: Course(),
        on_start: Callable[[Inside, datetime, Course], None] = lambda *_: None,
    ) -> None:
        self._clock = clock
        self._course = course
        self._on_start = on_start
        self._runs: dict[str, tuple[datetime, Course]] = {}

    async def start(self, inside: Inside, at: datetime) -> None:
        course = self._course(inside)
        self._runs[inside.group] = (at, course)
        self._on_start(inside, at, course)

    async def look(self, group: str) -> Run:
        if group not in self._runs:
            return Run()
        at, course = self._runs[group]
        end, now = at + timedelta(seconds=course.run_s), self._clock()
        if now < at:
            return Run()
        if now < end:
            return Run(started_at=at, output=course.output)
        return Run(started_at=at, finished_at=end, exit_code=course.exit_code, output=course.output)

    async def stop(self, group: str) -> None:
        self._runs.pop(group, None)


class ProcessBacking:
    """Real worker processes, started at once; the command after the standard worker's own is theirs."""

    def __init__(self, runtime: ProcessRuntime) -> None:
        self._runtime = runtime
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, inside: Inside, at: datetime) -> None:
        command = [*inside.command]
        if command[: len(WORKER_COMMAND)] == [*WORKER_COMMAND]:
            command = command[len(WORKER_COMMAND) :]
        request = GroupRequest(
            group=inside.group,
            place="local",
            job_id=inside.env.get("MAYFLY_JOB_ID", "job"),
            attempt=int(inside.env.get("MAYFLY_ATTEMPT", "1")),
            image=None,
            command=command[1:] if command[:1] == ["--"] else command,
            env={},
            secure_env=inside.env,
            cpu=inside.cpu,
            memory_gb=inside.memory_gb,
        )
        await self._runtime.create(request)

    async def look(self, group: str) -> Run:
        status = await self._runtime.inspect(group, place="local")
        if status is None or status.started_at is None:
            return Run()
        tail = await self._runtime.logs(group, place="local", bytes_max=4 << 20)
        return Run(
            started_at=status.started_at,
            finished_at=status.exited_at,
            exit_code=status.exit_code,
            output=tail.text if tail is not None else "",
        )

    async def stop(self, group: str) -> None:
        await self._runtime.delete(group, place="local")
