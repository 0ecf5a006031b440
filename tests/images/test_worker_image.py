"""Jobs in the worker's image: submitted to a live API, placed by the ACI adapter, run by a container engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from benchmarks.host import ROOT, running_host
from tests.fake_arm.arm import FakeArm
from tests.fake_arm.threaded import serving_on_a_thread
from tests.images.conftest import Image, Say
from tests.images.engine import Engine
from tests.images.podman_backing import PodmanBacking
from tests.waiting import HANG_GUARD_S, until

_SHOWS_WHERE_IT_RUNS = """
id -un
if touch /opt/mayfly/worker/mine; then echo "the worker's own files can be changed"; exit 1; fi
echo "::progress 0.5 half way"
python3 -c 'import os; print("::result", os.getuid())'
"""


@dataclass(frozen=True, kw_only=True)
class Live:
    """A live API, whose jobs run in the worker's image."""

    client: httpx.Client
    backing: PodmanBacking

    def submit(self, spec: Mapping[str, Any]) -> str:
        answer = self.client.post("/jobs", json=spec)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.client.get(f"/jobs/{job_id}").json()
        return job

    def wait(self, job_id: str, *states: str) -> dict[str, Any]:
        """Wait until the job is in one of these states."""
        until(lambda: self.job(job_id)["state"] in states, shown=lambda: self.job(job_id))
        return self.job(job_id)

    def wait_until_gone(self, job_id: str) -> dict[str, Any]:
        """Wait until the job is over and its container is gone."""

        def is_gone() -> bool:
            job = self.wait(job_id, "succeeded", "failed", "timed_out", "canceled")
            return all(attempt["container"] == "gone" for attempt in job["attempts"])

        until(is_gone, shown=lambda: self.job(job_id))
        return self.job(job_id)

    def container_of(self, job_id: str) -> dict[str, Any]:
        """Return the engine's state of a job's only container at its removal."""
        (found,) = (one for group, one in self.backing.ended.items() if group.startswith(job_id))
        return found

    def types(self, job_id: str) -> list[str]:
        return [event["type"] for event in self.client.get(f"/jobs/{job_id}/events").json()["events"]]


@pytest.fixture(scope="module")
def live(engine: Engine, worker_image: Image) -> Iterator[Live]:
    backing = PodmanBacking(engine)
    with serving_on_a_thread(FakeArm(clock=lambda: datetime.now(UTC), backing=backing)) as endpoint:
        environment = {
            "MAYFLY_RUNTIME": "aci",
            "MAYFLY_ARM_ENDPOINT": endpoint,
            "MAYFLY_SUBSCRIPTION": "s",
            "MAYFLY_RESOURCE_GROUP": "rg",
            "MAYFLY_PLACES": "swedencentral",
            "MAYFLY_WORKER_IMAGE": f"localhost/{worker_image.name}",
        }
        with running_host(app=ROOT, environment=environment) as host:
            headers = {"x-functions-key": host.key}
            address = f"http://127.0.0.1:{host.port}/api"
            with httpx.Client(base_url=address, headers=headers, timeout=HANG_GUARD_S, trust_env=False) as client:
                yield Live(client=client, backing=backing)


def test_a_command_runs_in_the_image_and_its_result_comes_back(live: Live, worker_image: Image, say: Say) -> None:
    job_id = live.submit({"name": "in-the-image", "command": ["sh", "-c", _SHOWS_WHERE_IT_RUNS]})
    job = live.wait_until_gone(job_id)
    say(f"ran job {job_id} in {worker_image.name}: {job['state']}, result {job['result']}")
    assert (job["state"], job["result"]) == ("succeeded", 10001), job
    output = live.client.get(f"/jobs/{job_id}/logs").json()["text"]
    assert "worker\n" in output
    assert "can be changed" not in output
    types = live.types(job_id)
    assert [one for one in types if one.startswith("Worker")] == [
        "WorkerStarted",
        "WorkerProgressed",
        "WorkerSucceeded",
    ]
    assert types[-1] == "ContainerGone"
    container = live.container_of(job_id)
    assert container["Image"].startswith(worker_image.id)
    assert container["State"]["ExitCode"] == 0


def test_a_message_is_processed_in_the_image(live: Live, worker_image: Image, say: Say) -> None:
    job_id = live.submit({"message": "hello", "env": {"MAYFLY_WORK_SECONDS": "0.2"}})
    job = live.wait_until_gone(job_id)
    say(f"ran job {job_id} in {worker_image.name}: {job['state']}, result {job['result']}")
    assert job["state"] == "succeeded", job


def test_a_canceled_job_ends_even_as_the_first_process_of_its_container(live: Live, say: Say) -> None:
    """The kernel keeps signals without a handler from a container's first process (pid_namespaces(7))."""
    job_id = live.submit({"command": ["sh", "-c", "echo waiting; sleep 100000"]})
    live.wait(job_id, "running")
    live.client.post(f"/jobs/{job_id}/cancel", json={})
    job = live.wait_until_gone(job_id)
    exit_code = live.container_of(job_id)["State"]["ExitCode"]
    say(f"ran job {job_id}: {job['state']}, its worker exited with code {exit_code}")
    assert job["state"] == "canceled"
    assert exit_code == 0, "137 would be SIGKILL"
