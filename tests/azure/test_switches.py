"""Every documented failure, end to end: engine, activities and the real SDK against the fake endpoint.

Each ends as the classifier says, and no group is left.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

import pytest

from mayfly.jobs import events as e
from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import JobState
from mayfly.jobs.next_step import AZURE_POLLS
from mayfly.jobs.spec import JobSpec, RetryPolicy
from tests.azure.clocked import START, Clocked, on_azure
from tests.fake_arm.backing import Course
from tests.fake_arm.switches import Switch


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a job ends after its switch was on."""

    state: JobState = "succeeded"
    attempts: int = 2
    refusal: str | None = None
    """Class of the first refusal."""
    code: str | None = None
    place: str = "swedencentral"
    """Of the last attempt."""
    exit_code: int = 0
    """Of every container."""
    error: str | None = None
    times: int = 1
    puts_again: int = 0
    """Creates that were sent again within one attempt."""
    hint: str = ""
    """Some of the words that a person is given."""


_ENDINGS: dict[Switch, Ending] = {
    "transitioning": Ending(refusal="retry", code="ContainerGroupTransitioning"),
    "quota": Ending(refusal="wait", code="ServiceUnavailable", hint="quota"),
    "capacity": Ending(refusal="relocate", code="ServiceUnavailable", place="westeurope", hint="capacity"),
    "capacity_later": Ending(refusal="relocate", code="InsufficientCapacity", place="westeurope", hint="capacity"),
    "inaccessible_image": Ending(refusal="retry", code="InaccessibleImage", hint="AcrPull"),
    "registry_error": Ending(refusal="retry", code="RegistryErrorResponse", hint="Docker Hub"),
    "pull_back_off": Ending(
        state="failed", attempts=1, refusal="permanent", code="ImagePullBackOff", error="container_refused", hint="tag"
    ),
    "failed_but_there": Ending(refusal="retry", code="Failed"),
    "repairing": Ending(state="failed", attempts=1, error="container_lost", exit_code=1),
    "restart": Ending(state="failed", attempts=1, error="container_lost", exit_code=137),
    "delete_ignored": Ending(attempts=1),
    "delete_transitioning": Ending(attempts=1),
    "throttled": Ending(refusal="wait", code="TooManyRequests", hint="100 creates"),
    "server_error": Ending(attempts=1, puts_again=1),
    "server_error_everywhere": Ending(attempts=1),
    # aiohttp sends the very same request again when a connection that it kept is found closed: no change of the group.
    "connection_lost": Ending(attempts=1, puts_again=1),
    "forbidden": Ending(refusal="retry", code="AuthorizationFailed", hint="Managed Identity Operator"),
    "os_version": Ending(
        state="failed",
        attempts=1,
        refusal="permanent",
        code="OsVersionNotSupported",
        error="container_refused",
        hint="amd64",
    ),
}


def test_every_switch_has_an_ending() -> None:
    assert set(_ENDINGS) == set(get_args(Switch))


@pytest.mark.parametrize("switch", _ENDINGS)
def test_a_failure_ends_as_classified_and_leaves_no_group(switch: Switch) -> None:
    ending = _ENDINGS[switch]

    async def story() -> None:
        course = Course(exit_code=ending.exit_code, output="working\n")
        async with on_azure(places="swedencentral,westeurope", course=lambda _: course) as azure:
            azure.arm.switch(switch, times=ending.times)
            job_id = await azure.submit()
            if ending.error == "container_lost":
                azure.silent.add(f"{job_id}-1-swedencentral")
            await azure.run()
            await _check(azure, job_id, ending)

    asyncio.run(story())


async def _check(azure: Clocked, job_id: str, ending: Ending) -> None:
    job: Job = await azure.job(job_id)
    events = [event.body for event in await azure.events(job_id)]
    refusals = [body for body in events if isinstance(body, e.ContainerRefused)]
    assert (job.state, len(job.attempts), job.error) == (ending.state, ending.attempts, ending.error), job.message
    assert (job.settled, azure.arm.groups) == (True, {}), "no group is left, and the log knows it"
    assert (refusals[0].refusal if refusals else None) == ending.refusal
    assert (refusals[0].code if refusals else None) == ending.code
    assert ending.hint in (refusals[0].hint if refusals else "")
    assert job.attempts[-1].place == ending.place
    assert azure.arm.count("PUT", job_id) == ending.attempts + ending.puts_again, "no create is repeated blindly"
    assert azure.arm.updates == 0, "and none changes a group that is there"


@pytest.mark.parametrize(("start_after_s", "run_s"), [(0.5, 3), (60, 600), (60, 3_600), (20, 12 * 3_600)])
def test_a_job_without_trouble_costs_one_put_one_delete_and_two_gets(start_after_s: float, run_s: float) -> None:
    """However long it takes: its worker sends heartbeats, so the platform is not polled."""

    async def story() -> None:
        async with on_azure(course=lambda _: Course(run_s=run_s), start_after_s=start_after_s) as azure:
            azure.reconciles = True
            spec = JobSpec(message="hi", run_timeout_s=86_400)
            job_ids = [await azure.submit(spec) for _ in range(20 if run_s < 60 else 1)]
            await azure.run()
            for job_id in job_ids:
                assert (await azure.job(job_id)).state == "succeeded"
                calls = [call.method for call in azure.arm.calls if call.group.startswith(job_id)]
                assert (calls.count("PUT"), calls.count("DELETE")) == (1, 1)
                assert calls.count("GET") <= 2, "the log, and the poll that confirms the group gone"

    asyncio.run(story())


def test_a_killed_worker_is_noticed_by_missing_heartbeats_long_before_its_deadline() -> None:
    async def story() -> None:
        async with on_azure(course=lambda _: Course(run_s=1_000, exit_code=137)) as azure:
            job_id = await azure.submit(JobSpec(message="hi", run_timeout_s=86_400))
            azure.killed.add(f"{job_id}-1-swedencentral")
            await azure.run()
            job = await azure.job(job_id)
            assert (job.state, job.error) == ("failed", "container_lost")
            assert job.ended_at is not None
            killed_at = START + timedelta(seconds=1_000)
            assert timedelta(0) < job.ended_at - killed_at <= timedelta(seconds=AZURE_POLLS.heartbeat_timeout_s or 0)
            assert azure.arm.count("GET", job_id) <= 3, "the poll that finds it dead is the only additional one"

    asyncio.run(story())


def test_a_worker_without_heartbeats_is_polled_every_five_minutes() -> None:
    """As the contract says: it costs a request more each time, and nothing else."""

    async def story() -> None:
        async with on_azure(course=lambda _: Course(run_s=3_600)) as azure:
            azure.taciturn = True
            job_id = await azure.submit(JobSpec(message="hi", run_timeout_s=86_400))
            await azure.run()
            assert (await azure.job(job_id)).state == "succeeded"
            assert 10 <= azure.arm.count("GET", job_id) <= 3_600 / 300 + 8

    asyncio.run(story())


def test_an_image_that_may_lack_a_worker_is_polled_until_it_ends() -> None:
    async def story() -> None:
        async with on_azure(course=lambda _: Course(run_s=600)) as azure:
            job_id = await azure.submit(JobSpec(image="busybox", command=("true",)))
            azure.silent.add(f"{job_id}-1-swedencentral")
            await azure.run()
            job = await azure.job(job_id)
            assert job.state == "succeeded"
            assert job.ended_at is not None
            assert job.ended_at - START < timedelta(seconds=600 * 1.6), "noticed after at most half of its time again"
            assert azure.arm.count("GET", job_id) <= 14

    asyncio.run(story())


@pytest.mark.parametrize("switch", ["capacity_later", "failed_but_there"])
def test_a_failed_start_is_noticed_in_the_reconcilers_list(switch: Switch) -> None:
    async def story() -> None:
        async with on_azure(places="swedencentral,westeurope", start_after_s=5) as azure:
            azure.reconciles = True
            azure.arm.switch(switch)
            job = await azure.job(await _ended(azure, JobSpec(message="hi")))
            assert (job.state, len(job.attempts)) == ("succeeded", 2)
            refused_at = job.attempts[0].ended_at
            assert refused_at is not None
            assert refused_at - START <= timedelta(seconds=40), "its own poll would come after 90 s"

    asyncio.run(story())


def test_a_role_that_is_never_applied_finally_fails_the_job() -> None:
    async def story() -> None:
        async with on_azure() as azure:
            azure.arm.switch("inaccessible_image", times=100)
            job = await azure.job(await _ended(azure, JobSpec(message="hi")))
            assert (job.state, job.error, len(job.attempts)) == ("failed", "container_refused", 6)
            assert "AcrPull" in (job.message or "")
            assert azure.arm.groups == {}

    asyncio.run(story())


def test_no_capacity_anywhere_holds_the_job_until_some_is_free() -> None:
    """I9."""

    async def story() -> None:
        async with on_azure(places="swedencentral,westeurope") as azure:
            azure.arm.switch("capacity", times=5)
            job = await azure.job(await _ended(azure, JobSpec(message="hi")))
            assert job.state == "succeeded"
            places = [attempt.place for attempt in job.attempts]
            assert places == ["swedencentral", "westeurope"] * 3
            reasons = [
                event.body.reason for event in await azure.events(job.job_id) if isinstance(event.body, e.JobHeld)
            ]
            assert any("no capacity in swedencentral, westeurope" in reason for reason in reasons)

    asyncio.run(story())


def test_a_failed_container_is_replaced_once_it_is_gone() -> None:
    async def story() -> None:
        codes = iter([3, 0])
        async with on_azure(course=lambda _: Course(exit_code=next(codes))) as azure:
            job_id = await _ended(azure, JobSpec(message="hi", retry=RetryPolicy(max_attempts=2)))
            job = await azure.job(job_id)
            assert (job.state, len(job.attempts)) == ("succeeded", 2)
            kinds = [event.type for event in await azure.events(job_id)]
            assert kinds.index("ContainerGone") < len(kinds) - 1 - kinds[::-1].index("ContainerRequested")

    asyncio.run(story())


async def _ended(azure: Clocked, spec: JobSpec) -> str:
    job_id = await azure.submit(spec)
    await azure.run()
    return job_id
