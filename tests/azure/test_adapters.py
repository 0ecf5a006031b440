"""The requests of the ACI adapter to Azure, and how it reads the responses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mayfly.containers.aci.runtime import AciOptions, AciRuntime
from mayfly.containers.runtime import GroupRefused, GroupRequest
from mayfly.credentials import PlaintextCredential
from mayfly.errors import RuntimeUnavailable
from mayfly.jobs.places import Place, Quota
from tests.fake_arm.arm import FakeArm
from tests.fake_arm.backing import TimedBacking
from tests.fake_arm.limits import Limits
from tests.fake_arm.server import serving

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
REQUEST = GroupRequest(
    group="ada-1",
    place="westeurope",
    job_id="ada",
    attempt=1,
    image=None,
    command=("python", "x.py"),
    env={"A": "1"},
    secure_env={"TOKEN": "s3cret"},
    cpu=0.5,
    memory_gb=1.51,
)
OPTIONS = AciOptions(
    subscription="s",
    resource_group="rg",
    worker_image="mine.azurecr.io/worker:1",
    worker_identity="/identity",
    subnet="/subnet",
    log_workspace="workspace",
    log_workspace_key="key",
)

Story = Callable[[AciRuntime, FakeArm], Awaitable[None]]


def on_fake(story: Story, *, options: AciOptions = OPTIONS, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
    async def run() -> None:
        arm = FakeArm(clock=lambda: NOW, backing=TimedBacking(lambda: NOW), limits=limits)
        async with serving(arm, by_itself=False) as endpoint:
            runtime = AciRuntime(
                replace(options, endpoint=endpoint), credential=PlaintextCredential(), clock=lambda: NOW
            )
            try:
                await story(runtime, arm)
            finally:
                await runtime.close()

    asyncio.run(run())


def test_a_group_is_requested_in_the_form_that_azure_requires() -> None:
    async def story(runtime: AciRuntime, arm: FakeArm) -> None:
        await runtime.create(REQUEST)
        body = arm.groups["ada-1"].body
        properties = body["properties"]
        (container,) = properties["containers"]
        assert body["location"] == "westeurope"
        assert body["tags"] == {
            "mayfly-job": "ada",
            "mayfly-attempt": "1",
            "mayfly-place": "westeurope",
            "mayfly-created": NOW.isoformat(),
        }
        assert body["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {"/identity": {}}}
        assert (properties["restartPolicy"], properties["osType"]) == ("Never", "Linux")
        assert properties["imageRegistryCredentials"] == [{"server": "mine.azurecr.io", "identity": "/identity"}]
        assert properties["subnetIds"] == [{"id": "/subnet"}]
        assert properties["diagnostics"]["logAnalytics"]["workspaceId"] == "workspace"
        assert container["name"] == "ada-1"
        asked = container["properties"]
        assert asked["command"] == [
            *("python", "-I", "-S", "/opt/mayfly/worker/__main__.py"),
            *("--", "python", "x.py"),
        ]
        assert asked["resources"]["requests"] == {"cpu": 1.0, "memoryInGB": 1.6}
        assert asked["environmentVariables"] == [
            {"name": "A", "value": "1"},
            {"name": "TOKEN", "secureValue": "s3cret"},
        ]
        assert not any("s3cret" in body for body in arm.bodies)

    on_fake(story)


def test_a_users_image_runs_only_its_command_and_is_not_pulled_by_our_identity() -> None:
    async def story(runtime: AciRuntime, arm: FakeArm) -> None:
        await runtime.create(replace(REQUEST, image="docker.io/library/busybox:1", command=("sh", "-c", "true")))
        body = arm.groups["ada-1"].body
        assert body["properties"]["containers"][0]["properties"]["command"] == ["sh", "-c", "true"]
        assert "identity" not in body
        assert "imageRegistryCredentials" not in body["properties"]

    on_fake(story)


def test_a_spot_place_is_a_priority_without_a_network() -> None:
    async def story(runtime: AciRuntime, arm: FakeArm) -> None:
        await runtime.create(replace(REQUEST, place="westeurope-spot"))
        body = arm.groups["ada-1"].body
        assert (body["location"], body["properties"]["priority"]) == ("westeurope", "Spot")
        assert "subnetIds" not in body["properties"]
        assert [listing.place for listing in await runtime.list()] == ["westeurope-spot"]

    on_fake(story)


def test_the_live_quota_is_read_for_regular_and_spot_places() -> None:
    async def story(runtime: AciRuntime, _: FakeArm) -> None:
        await runtime.create(REQUEST)
        regular = await runtime.quota(Place(name="westeurope"))
        spot = await runtime.quota(Place(name="westeurope-spot"))
        assert regular == Quota(groups_max=50, groups_used=1, cores_max=10.0, cores_used=1.0)
        assert spot == Quota(groups_max=50, groups_used=1, cores_max=4.0, cores_used=0.0)

    on_fake(story, limits=Limits(groups=50, cores=10, spot_cores=4))


def test_an_unreachable_endpoint_says_nothing_about_a_group() -> None:
    async def story() -> None:
        options = replace(OPTIONS, endpoint="http://127.0.0.1:1")
        runtime = AciRuntime(options, credential=PlaintextCredential())
        with pytest.raises(RuntimeUnavailable):
            await runtime.create(REQUEST)
        with pytest.raises(RuntimeUnavailable):
            await runtime.inspect("ada-1", place="westeurope")
        with pytest.raises(RuntimeUnavailable):
            await runtime.list()
        with pytest.raises(RuntimeUnavailable):
            await runtime.delete("ada-1", place="westeurope")
        await runtime.close()

    asyncio.run(story())


def test_azures_time_to_wait_is_passed_on() -> None:
    async def story(runtime: AciRuntime, arm: FakeArm) -> None:
        arm.switch("throttled")
        with pytest.raises(GroupRefused) as refused:
            await runtime.create(REQUEST)
        assert (refused.value.refusal.kind, refused.value.refusal.retry_after_s) == ("wait", 17)
        assert arm.count("PUT") == 1, "the SDK repeats nothing on its own"

    on_fake(story)
