"""A container platform as bad as the real one: it refuses, loses, delays, restarts, and deletes at any time.

It knows the truth about each group, so that the log can be compared with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mayfly.containers.runtime import (
    Capabilities,
    GroupListing,
    GroupRefused,
    GroupRequest,
    GroupState,
    GroupStatus,
    LogTail,
    MetricSample,
)
from mayfly.errors import RuntimeUnavailable
from mayfly.jobs.refusal import Refusal, RefusalKind
from tests.simulation.processes import Process, hang, sleep_until
from tests.simulation.worker import Worker

if TYPE_CHECKING:
    from tests.simulation.world import World

_REFUSALS: dict[str, RefusalKind] = {
    "refused_permanent": "permanent",
    "refused_retry": "retry",
    "refused_wait": "wait",
    "refused_relocate": "relocate",
}


@dataclass(kw_only=True)
class Group:
    """A group that is really there."""

    request: GroupRequest
    created_at: datetime
    appeared: int
    """The moment, on the world's own count."""
    phase: GroupState = "pending"
    started_at: datetime | None = None
    exited_at: datetime | None = None
    exit_code: int | None = None
    shown_code: int | None = None
    """None: the platform lost it."""
    restarts: int = 0
    deletes: int = 0
    going: bool = False
    worker: Worker | None = None
    life: Process | None = field(default=None, repr=False)


class SimulatedPlatform:
    """See `ContainerRuntime`."""

    def __init__(self, world: World) -> None:
        self.groups: dict[str, Group] = {}
        self.absent_seen: dict[str, int] = {}
        """By group, when the platform last answered that it does not exist."""
        self.shown: dict[str, int] = {}
        """By group, when the platform last answered that it exists."""
        self.begun: set[tuple[str, int]] = set()
        """(job, attempt) of every container that began to run something while its attempt was open."""
        self.exits: dict[tuple[str, int], list[int | None]] = {}
        """(job, attempt), and the exit codes that were shown of its containers."""
        self.outage_until: datetime | None = None
        self.on_create: Callable[[GroupRequest], None] = lambda _: None
        self._world = world

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(runs_images=True, enforces_memory=True, enforces_cpu=True, live_metrics=True)

    async def create(self, request: GroupRequest) -> None:
        """See `ContainerRuntime.create`."""
        world, strike = self._world, self._world.faults.strike
        self.on_create(request)
        await world.hop()
        self._reach()
        if request.group in self.groups:
            await world.hop()
            return
        if (refused := world.faults.first(*_REFUSALS)) is not None:
            after_s = world.random.choice((None, 5.0, 40.0))
            if strike("outage_after_refusal"):
                self.outage_until = world.clock.now() + timedelta(seconds=world.random.uniform(1, 60))
            raise GroupRefused(
                Refusal(kind=_REFUSALS[refused], code=refused, message="no", hint="wait", retry_after_s=after_s)
            )
        if strike("create_lost"):
            raise RuntimeUnavailable("the request did not arrive")
        if strike("create_late"):
            at = world.clock.now() + timedelta(seconds=world.random.uniform(1, 120))
            world.run(f"{world.alias(request.group)} appears late", self._appear_at(request, at), host=False)
            raise RuntimeUnavailable("accepted without an answer, and not visible yet")
        self._appear(request)
        await world.hop()
        if strike("create_unanswered"):
            raise RuntimeUnavailable("accepted without an answer")

    async def inspect(self, group: str, *, place: str) -> GroupStatus | None:
        """See `ContainerRuntime.inspect`."""
        await self._world.hop()
        self._reach("inspect_fails")
        found = self.groups.get(group)
        status = None if found is None else _status(found)
        self._answered(group)
        await self._world.hop()
        return status

    async def logs(self, group: str, *, place: str, bytes_max: int) -> LogTail | None:
        """See `ContainerRuntime.logs`."""
        await self._world.hop()
        self._reach("logs_fail")
        return LogTail(text=f"output of {group}", truncated=False) if group in self.groups else None

    async def metrics(self, group: str, *, place: str) -> Sequence[MetricSample]:
        """See `ContainerRuntime.metrics`."""
        await self._world.hop()
        self._reach("metrics_fail")
        if group not in self.groups:
            return ()
        return (MetricSample(at=self._world.clock.now(), cpu_cores=0.5, memory_bytes=1_000),)

    async def delete(self, group: str, *, place: str) -> bool:
        """See `ContainerRuntime.delete`."""
        world, strike = self._world, self._world.faults.strike
        await world.hop()
        self._reach("delete_fails")
        found = self.groups.get(group)
        if found is None:
            self._answered(group)
            await world.hop()
            return True
        found.deletes += 1
        self._answered(group)
        if strike("delete_ignored"):
            return False
        if not found.going and (slowly := world.faults.first("delete_slow", "delete_stubborn")) is not None:
            found.going = True
            # With few places, every job in the queue polls each second, so the delay is shorter.
            longest_s = 60 if slowly == "delete_slow" else 800 if world.groups_max > 2 else 150
            at = world.clock.now() + timedelta(seconds=world.random.uniform(0.1, longest_s))
            world.run(f"{world.alias(group)} goes slowly", self._vanish_at(found, at), host=False)
        if not found.going:
            self.vanish(found)
            self._answered(group)
        await world.hop()
        if strike("delete_unanswered"):
            raise RuntimeUnavailable("deleting without an answer")
        return not found.going

    async def list(self) -> Sequence[GroupListing]:
        """See `ContainerRuntime.list`."""
        await self._world.hop()
        self._reach("list_fails")
        listings = [_listing(group) for group in self.groups.values()]
        for listing in listings:
            self._answered(listing.group)
        await self._world.hop()
        return listings

    def vanish(self, group: Group) -> None:
        """Remove it, with any process in it."""
        if self.groups.get(group.request.group) is group:
            del self.groups[group.request.group]
            self._world.note(f"{self._world.alias(group.request.group)} is gone")
        if group.life is not None:
            group.life.kill()
        if group.worker is not None:
            group.worker.working = False

    def stray(self, request: GroupRequest) -> None:
        """Create a group that Mayfly did not request."""
        self._appear(request)

    def _appear(self, request: GroupRequest) -> None:
        if request.group in self.groups:
            return
        world = self._world
        group = Group(request=request, created_at=world.clock.now(), appeared=world.moment())
        self.groups[request.group] = group
        world.note(f"{world.alias(request.group)} is there")
        group.life = world.run(f"life of {world.alias(request.group)}", self._live(group), host=False)

    async def _appear_at(self, request: GroupRequest, at: datetime) -> None:
        await sleep_until(at)
        self._appear(request)

    async def _vanish_at(self, group: Group, at: datetime) -> None:
        await sleep_until(at)
        self.vanish(group)

    async def _live(self, group: Group) -> None:
        world, faults = self._world, self._world.faults
        if faults.strike("start_never"):
            await hang()
        slow_s = world.random.uniform(5, 150) if faults.strike("start_slow") else world.random.uniform(0.1, 4)
        await self._sleep(slow_s)
        if faults.strike("group_lost"):
            at = world.clock.now() + timedelta(seconds=world.random.uniform(0, 60))
            world.run(f"{world.alias(group.request.group)} is lost", self._vanish_at(group, at), host=False)
        while True:
            key = (group.request.job_id, group.request.attempt)
            if world.invariants.is_open(*key):
                self.begun.add(key)
            group.phase, group.started_at = "running", world.clock.now()
            group.worker = Worker(world, group.request)
            group.exit_code = await group.worker.run()
            group.worker.working = False
            if group.restarts < 2 and faults.strike("group_restarted"):
                group.restarts += 1
                await self._sleep(world.random.uniform(0, 10))
                continue
            break
        group.phase, group.exited_at = "exited", world.clock.now()
        group.shown_code = None if faults.strike("exit_code_unknown") else group.exit_code
        self.exits.setdefault(key, []).append(group.shown_code)
        world.note(f"{world.alias(group.request.group)} exited with {group.exit_code}, shown as {group.shown_code}")

    async def _sleep(self, seconds: float) -> None:
        await sleep_until(self._world.clock.now() + timedelta(seconds=seconds))

    def _reach(self, fault: str | None = None) -> None:
        if self.outage_until is not None and self._world.clock.now() < self.outage_until:
            raise RuntimeUnavailable("the platform is out of reach for a while")
        if fault is not None and self._world.faults.strike(fault):
            raise RuntimeUnavailable("the platform did not answer")

    def _answered(self, group: str) -> None:
        (self.shown if group in self.groups else self.absent_seen)[group] = self._world.moment()


def _status(group: Group) -> GroupStatus:
    return GroupStatus(
        group=group.request.group,
        phase=group.phase,
        deleting=group.going,
        exit_code=group.shown_code,
        started_at=group.started_at,
        exited_at=group.exited_at,
    )


def _listing(group: Group) -> GroupListing:
    request = group.request
    return GroupListing(
        group=request.group,
        place=request.place,
        job_id=request.job_id,
        attempt=request.attempt,
        created_at=group.created_at,
        troubled=group.restarts > 0 or group.exit_code not in (None, 0),
    )
