"""What the adapters ask of Azure, and how its answers read: requests, states, quota, secrets and readings."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceRequestError

from mayfly.containers.aci.runtime import AciOptions, AciRuntime
from mayfly.containers.aci.status import PULL_PATIENCE_S, GroupSnapshot, group_event, status_of
from mayfly.containers.runtime import GroupRefused, GroupRequest
from mayfly.credentials import PlaintextCredential
from mayfly.errors import RuntimeUnavailable, SecretMissing, TryAgain
from mayfly.jobs.places import Place, Quota
from mayfly.secrets.key_vault import KeyVaultSecrets
from tests.azure.certificates import certificate_for
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
    tags={"mayfly-job": "ada"},
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


def test_a_group_is_asked_for_as_azure_wants_it() -> None:
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


def test_an_image_of_its_own_runs_its_command_alone_and_is_not_pulled_by_our_identity() -> None:
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


def test_an_endpoint_that_is_not_there_says_nothing_about_a_group() -> None:
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
        assert arm.count("PUT") == 1, "the SDK repeats nothing by itself"

    on_fake(story)


# States

FACTS = GroupSnapshot(
    group="g",
    provisioning="Succeeded",
    state="Running",
    container="Running",
    container_detail="",
    started_at=NOW,
    exited_at=None,
    exit_code=None,
    restarts=0,
    previous_exit_code=None,
    previous_started_at=None,
    previous_exited_at=None,
)
WAITING = replace(FACTS, provisioning="Pending", state="Pending", container="Waiting", started_at=None)


def seen(facts: GroupSnapshot) -> tuple[str, int | None, str | None]:
    status = status_of(facts, now=NOW)
    return status.phase, status.exit_code, status.refusal.kind if status.refusal is not None else None


@dataclass(frozen=True)
class _Line:
    facts: GroupSnapshot
    phase: str
    exit_code: int | None = None
    refusal: str | None = None


def _pull(age_s: float) -> GroupSnapshot:
    event = group_event(
        name="BackOff", message="Back-off pulling image", count=4, first_at=NOW - timedelta(seconds=age_s), last_at=NOW
    )
    return replace(WAITING, events=(event,))


_STATES = {
    "nothing is shown yet": _Line(replace(WAITING, container="", state=""), "pending"),
    "waiting": _Line(WAITING, "pending"),
    "running": _Line(FACTS, "running"),
    "ended": _Line(replace(FACTS, container="Terminated", exit_code=3, state="Failed"), "exited", 3),
    "ended, and provisioning says Failed": _Line(
        replace(FACTS, container="Terminated", exit_code=0, provisioning="Failed"), "exited", 0
    ),
    "ended without a code": _Line(replace(FACTS, container="Terminated"), "exited"),
    "ended by maintenance": _Line(replace(FACTS, container="Terminated", exit_code=7147), "exited"),
    "started again after a failure": _Line(replace(FACTS, restarts=1, previous_exit_code=2), "exited", 2),
    "started again after maintenance": _Line(replace(FACTS, restarts=2, previous_exit_code=7148), "exited"),
    "stopped from outside": _Line(replace(FACTS, container="", state="Stopped"), "exited"),
    "unhealthy while it runs": _Line(replace(FACTS, provisioning="Unhealthy"), "running"),
    "being moved while it ran": _Line(replace(FACTS, provisioning="Repairing"), "exited"),
    "being moved before it ran": _Line(replace(WAITING, provisioning="Repairing"), "pending", refusal="retry"),
    "failed without a word": _Line(replace(WAITING, provisioning="Failed"), "pending", refusal="retry"),
    "an image that is tried for a minute": _Line(_pull(60), "pending"),
    "an image that is tried too long": _Line(_pull(PULL_PATIENCE_S), "pending", refusal="permanent"),
}


@pytest.mark.parametrize("name", _STATES)
def test_a_state_of_azure_reads_as(name: str) -> None:
    line = _STATES[name]
    assert seen(line.facts) == (line.phase, line.exit_code, line.refusal)


def test_the_pull_of_the_image_began_with_its_first_event() -> None:
    events = [
        group_event(name=name, message="", count=1, first_at=NOW - timedelta(seconds=age_s), last_at=NOW)
        for name, age_s in (("Pulling", 9), ("Pulled", 3), ("Started", 2))
    ]
    status = status_of(replace(FACTS, events=tuple(events)), now=NOW)
    assert status.pulling_at == NOW - timedelta(seconds=9)
    assert status_of(FACTS, now=NOW).pulling_at is None


def test_a_restart_and_its_cause_are_told() -> None:
    detail = status_of(replace(FACTS, restarts=1, previous_exit_code=7147), now=NOW).detail
    assert "restarted it (1x)" in detail
    assert "maintenance" in detail


# Secrets


class _Vault:
    """What the SDK's client does, as far as it matters here."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers

    async def get_secret(self, name: str) -> Any:
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        return type("Secret", (), {"value": answer})()

    async def close(self) -> None:
        """Nothing is held open."""


def _vault(answers: dict[str, Any]) -> KeyVaultSecrets:
    secrets = KeyVaultSecrets("https://vault.test", PlaintextCredential())
    secrets._client = _Vault(answers)
    return secrets


def test_references_are_resolved_to_values() -> None:
    found = asyncio.run(_vault({"db-password": "pa55"}).resolve({"DB": "db-password"}))
    assert found == {"DB": "pa55"}


def test_a_secret_that_is_not_there_is_named_with_its_vault() -> None:
    with pytest.raises(SecretMissing, match=r"add it to https://vault\.test"):
        asyncio.run(_vault({"a": ResourceNotFoundError()}).resolve({"A": "a"}))


@pytest.mark.parametrize("trouble", [HttpResponseError("no"), ServiceRequestError("no")])
def test_a_vault_that_does_not_answer_is_asked_again_later(trouble: Exception) -> None:
    with pytest.raises(TryAgain, match="'a'"):
        asyncio.run(_vault({"a": trouble}).resolve({"A": "a"}))


@pytest.mark.parametrize("status", [200, 404, 503])
def test_the_real_client_speaks_to_a_vault(status: int, tmp_path: Path) -> None:
    """Over TLS, since this client sends nothing without, to a server that asks who it is first."""
    certificate = certificate_for(tmp_path)
    asked: list[tuple[str, str]] = []

    async def handle(request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "")
        asked.append((request.path, token))
        if not token:
            challenge = 'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        body = {"value": "pa55", "id": "https://v.vault.azure.net/secrets/db-password/1"}
        error = {"error": {"code": "SecretNotFound", "message": "no"}}
        return web.json_response(body if status == 200 else error, status=status)

    async def story() -> dict[str, str]:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        secrets = KeyVaultSecrets(
            f"https://127.0.0.1:{runner.addresses[0][1]}",
            PlaintextCredential(),
            connection_verify=str(certificate),
            verify_challenge_resource=False,
        )
        try:
            return await secrets.resolve({"DB": "db-password"})
        finally:
            await secrets.close()
            await runner.cleanup()

    if status == 200:
        assert asyncio.run(story()) == {"DB": "pa55"}
    else:
        with pytest.raises(SecretMissing if status == 404 else TryAgain):
            asyncio.run(story())
    assert [path.rstrip("/") for path, _ in asked] == ["/secrets/db-password"] * 2
    assert [token for _, token in asked] == ["", "Bearer none"]
