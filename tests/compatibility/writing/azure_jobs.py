# mypy: ignore-errors
"""Jobs as they occur only in Azure: all refusals, quotas, slow deletes, late creates, containers without a worker.

The host runs with the real ACI adapter and the real SDK against the fake of `tests/fake_arm`.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from mayfly.containers.processes import ProcessRuntime
from mayfly.settings import read_settings
from tests.compatibility.writing.host import RunningHost, running, settled, wait_until
from tests.fake_arm.arm import FakeArm
from tests.fake_arm.backing import Course, Inside, ProcessBacking, Run, TimedBacking
from tests.fake_arm.groups import Group
from tests.fake_arm.limits import Limits
from tests.fake_arm.server import serving

_SILENT = {
    "plain/short:1": Course(run_s=24.0, exit_code=0, output="one line\nand another\n"),
    "plain/bad:1": Course(run_s=1.0, exit_code=9, output="it went wrong\n"),
    "silent": Course(run_s=600.0, exit_code=0),
    "silent-exit": Course(run_s=0.5, exit_code=7, output="no report was made\n"),
}
"""By image, or by the variable SILENT: containers in which no worker reports."""


class _Backing:
    """Real workers, but for the containers in which there is none."""

    def __init__(self, processes: ProcessRuntime) -> None:
        self._workers = ProcessBacking(processes)
        self._silent = TimedBacking(lambda: datetime.now(UTC), lambda inside: _SILENT[_course(inside) or "silent"])
        self._is_silent: set[str] = set()

    async def start(self, inside: Inside, at: datetime) -> None:
        if _course(inside):
            self._is_silent.add(inside.group)
        await self._of(inside.group).start(inside, at)

    async def look(self, group: str) -> Run:
        return await self._of(group).look(group)

    async def stop(self, group: str) -> None:
        await self._of(group).stop(group)

    def _of(self, group: str) -> ProcessBacking | TimedBacking:
        return self._silent if group in self._is_silent else self._workers


def _course(inside: Inside) -> str | None:
    return next((one for one in (inside.image, inside.env.get("SILENT")) if one in _SILENT), None)


class Azure:
    """The fake and its server, on a separate loop."""

    def __init__(self, folder: Path) -> None:
        self.processes = ProcessRuntime(folder, worker_command=read_settings({}).worker_command)
        self.arm = FakeArm(
            clock=lambda: datetime.now(UTC),
            backing=_Backing(self.processes),
            limits=Limits(cores=12),
            start_after_s=0.05,
            gone_after_s=0.5,
        )
        self.endpoint = ""
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._up.wait(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    async def _serve(self) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        async with serving(self.arm) as self.endpoint:
            self._up.set()
            await self._stop.wait()
            for listing in await self.processes.list():
                await self.processes.delete(listing.group, place="local")


def run_in_azure(data: Path, folder: Path) -> None:
    """Run the jobs, wait until all of them are settled, and stop the host."""
    azure = Azure(folder / "groups")
    host = RunningHost(
        data,
        MAYFLY_RUNTIME="aci",
        MAYFLY_ARM_ENDPOINT=azure.endpoint,
        MAYFLY_SUBSCRIPTION="s",
        MAYFLY_RESOURCE_GROUP="rg",
        MAYFLY_PLACES="swedencentral:4:16,westeurope,northeurope:spot",
        MAYFLY_WORKER_IMAGE="mayfly.azurecr.io/worker:1",
        MAYFLY_METRICS="off",
    )
    try:
        _run(host, azure, data, folder)
    finally:
        host.stop()
        azure.close()


def _run(host: RunningHost, azure: Azure, data: Path, folder: Path) -> None:
    arm, quick = azure.arm, {"MAYFLY_WORK_SECONDS": "0.2"}
    labels = {"where": "azure"}

    def refused(switch: str, name: str, **more: object) -> str:
        """Submit a job whose create meets this, and wait until it did."""
        arm.switch(switch)
        job_id = host.submit({"message": switch, "name": name, "env": quick, "labels": labels, **more})
        wait_until(lambda: "ContainerRefused" in host.types(job_id))
        return job_id

    def created(name: str, switch: str | None = None, **spec: object) -> str:
        """Submit a job and wait until Azure took its container, with this trouble if any."""
        if switch is not None:
            arm.switch(switch)
        job_id = host.submit({"message": "m", "name": name, "labels": labels, **spec})
        wait_until(lambda: any(one.group.startswith(job_id) for one in arm.asked_for))
        return job_id

    jobs = [refused("capacity", "relocated")]
    host.wait_settled(*jobs)  # its second create must not meet what is switched on next
    jobs += [refused("throttled", "throttled"), refused("transitioning", "tried-again")]
    jobs += [over := refused("quota", "over-quota"), refused("os_version", "refused")]
    jobs += [created("repairing", "repairing", env={"SILENT": "silent"})]
    jobs += [later := created("accepted-first", "capacity_later", env=quick)]
    jobs += [created("slow-to-go", env=quick)]
    arm.switch("delete_ignored")
    jobs += [created("image", message=None, command=["work"], image="plain/short:1")]
    jobs += [created("image-bad", message=None, command=["work"], image="plain/bad:1", memory_gb=2.5)]
    jobs += [created("no-report", env={"SILENT": "silent-exit"}, run_timeout_s=30)]
    jobs += [created("never-claimed", env={"SILENT": "silent"}, start_timeout_s=4)]
    host.reconcile()  # it looks into the two groups that the list shows in trouble

    # More than the quota gives: one runs, one is held and canceled, and the ledger has all of it.
    command = ["sh", "-c", "sleep 600"]
    big = host.submit({"command": command, "cpu": 10, "memory_gb": 8, "name": "big", "labels": labels, "priority": 9})
    host.wait_for(big, running)
    held = host.submit({"command": command, "cpu": 11.5, "name": "held", "labels": labels, "priority": 0})
    wait_until(lambda: "JobHeld" in host.types(held))
    wait_until(lambda: "ContainerRefused" in host.types(later))
    host.wait_for(over, lambda job: len(job["attempts"]) == 2)
    jobs += [refused("capacity", "no-room")]
    with sqlite3.connect(data / "ledger.db") as source, sqlite3.connect(folder / "ledger.db") as copy:
        source.backup(copy)
    host.cancel(held)
    host.cancel(big, "it is too big", source="dashboard")
    host.wait_settled(big, held, *jobs)
    _find_again(host, azure, jobs[0])


def _find_again(host: RunningHost, azure: Azure, job_id: str) -> None:
    """Let a create take effect after its container had been gone."""
    job = host.job(job_id)
    attempt = job["attempts"][-1]
    inside = next(one for one in azure.arm.asked_for if one.group == attempt["group"])
    now = datetime.now(UTC)
    tags = {"mayfly-job": job_id, "mayfly-attempt": str(attempt["number"])}
    resources = {"requests": {"cpu": 1.0, "memoryInGB": 1.5}}
    container = {"name": "worker", "properties": {"image": inside.image, "command": [], "resources": resources}}
    azure.arm.groups[attempt["group"]] = Group(
        name=attempt["group"],
        place=attempt["place"],
        body={
            "location": attempt["place"],
            "tags": tags,
            "properties": {"containers": [container], "osType": "Linux", "restartPolicy": "Never"},
        },
        created_at=now,
        start_at=now.replace(year=now.year + 1),
        inside=inside,
    )
    host.reconcile()
    wait_until(lambda: "ContainerFound" in host.types(job_id), lambda: host.types(job_id))
    while not settled(host.job(job_id)):  # its orchestrator is started once the stream has been quiet for 10 s
        host.reconcile()
        time.sleep(1)
