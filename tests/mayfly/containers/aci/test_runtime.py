"""The ACI adapter against the fake endpoint, through the real SDK, with real processes inside: the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mayfly.containers.aci.runtime import AciOptions, AciRuntime
from mayfly.containers.runtime import ContainerRuntime, GroupRequest
from mayfly.credentials import PlaintextCredential
from tests.contracts.container_runtime import ContainerRuntimeContract
from tests.fake_arm.arm import FakeArm
from tests.fake_arm.backing import ProcessBacking
from tests.fake_arm.server import serving
from tests.mayfly.containers.processes.groups import new_runtime, request_for

PLACE = "swedencentral"


def now() -> datetime:
    return datetime.now(UTC)


class TestAci(ContainerRuntimeContract):
    place = PLACE

    @pytest.fixture
    def runtime(self, runner: asyncio.Runner, tmp_path: Path) -> Iterator[ContainerRuntime]:
        processes = new_runtime(tmp_path / "groups")
        arm = FakeArm(clock=now, backing=ProcessBacking(processes), start_after_s=0.02, gone_after_s=0.05)
        server = serving(arm)
        endpoint = runner.run(server.__aenter__())
        options = AciOptions(subscription="s", resource_group="rg", worker_image="worker:1", endpoint=endpoint)
        runtime = AciRuntime(options, credential=PlaintextCredential())
        yield runtime
        runner.run(runtime.close())
        runner.run(server.__aexit__(None, None, None))
        for listing in runner.run(processes.list()):
            runner.run(processes.delete(listing.group, place="local"))

    def ends(self, group: str, *, exit_code: int, output: str) -> GroupRequest:
        return request_for(group, "/bin/sh", "-c", f"printf '%s' '{output}'; exit {exit_code}", place=PLACE)

    def stays(self, group: str) -> GroupRequest:
        return request_for(group, "/bin/sh", "-c", "exec sleep 600", place=PLACE)
