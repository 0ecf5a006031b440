"""400 jobs at once against the documented quota and rates: all finish, none fails, and no limit is passed.

The real orchestrator is replayed at each of its turns, and the real SDK asks the fake endpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from mayfly.jobs import events as e
from mayfly.jobs.spec import JobSpec
from tests.azure.clocked import START, Clocked, on_azure
from tests.fake_arm.backing import Course
from tests.fake_arm.limits import Limits

_JOBS = 400
_JOBS_OF_A_SMALL_SUBSCRIPTION = 30
_RUN_S = 600.0
_THREE = "swedencentral,westeurope,northeurope"


async def _all_end(azure: Clocked, count: int) -> timedelta:
    """Submit them, let time pass, hold the limits, and return how long it took."""
    job_ids = [await azure.submit(JobSpec(message="hi")) for _ in range(count)]
    await azure.run()
    jobs = [await azure.job(job_id) for job_id in job_ids]
    assert {job.state for job in jobs} == {"succeeded"}
    assert azure.arm.groups == {}
    refused = [
        event.body
        for job_id in job_ids
        for event in await azure.events(job_id)
        if isinstance(event.body, e.ContainerRefused)
    ]
    assert refused == [], "admission kept every create within what the platform takes"
    # 300 jobs that end at the same moment are polled at the same moment; a throttled poll is repeated, without effect.
    assert [call for call in azure.arm.calls if call.status == 429 and call.method != "GET"] == []
    for times in (*azure.arm.created.values(), *azure.arm.deleted.values()):
        assert _most_within(times, timedelta(minutes=5)) <= 100
        assert _most_within(times, timedelta(hours=1)) <= 300
    assert max(azure.arm.groups_most.values()) <= 100
    return max(job.ended_at for job in jobs if job.ended_at is not None) - START


def _most_within(times: Sequence[datetime], window: timedelta) -> int:
    return max(sum(begin <= at < begin + window for at in times) for begin in times)


def _elapsed(places: str, limits: Limits, count: int = _JOBS) -> timedelta:
    async def story() -> timedelta:
        async with on_azure(
            places=places,
            limits=limits,
            course=lambda _: Course(run_s=_RUN_S),
            start_after_s=20,
            gone_after_s=3,
        ) as azure:
            return await _all_end(azure, count)

    return asyncio.run(story())


@pytest.mark.scale
def test_400_jobs_at_once_keep_the_documented_limits_and_three_regions_are_three_times_as_fast() -> None:
    one, three = _elapsed("swedencentral", Limits()), _elapsed(_THREE, Limits())
    print(f"400 jobs of {_RUN_S:g} s: {one} in one region, {three} in three")
    # 300 in the first hour, and the last 100 begin when it is over.
    assert timedelta(minutes=70) <= one <= timedelta(minutes=80)
    assert 2.5 <= one / three <= 4.0


def test_a_subscription_with_ten_cores_runs_ten_at_a_time_and_fails_none() -> None:
    limits = Limits(cores=10)
    jobs = _JOBS_OF_A_SMALL_SUBSCRIPTION
    one, three = _elapsed("swedencentral", limits, jobs), _elapsed(_THREE, limits, jobs)
    print(f"{jobs} jobs with a quota of 10 cores: {one} in one region, {three} in three")
    assert one >= timedelta(seconds=_RUN_S) * (jobs / 10)
    assert 2.5 <= one / three <= 3.5


def test_jobs_start_in_the_order_of_their_priority_and_age() -> None:
    """First come, first served within a priority, however often each of them asks."""

    async def story() -> None:
        lengths = iter([100, 107, 93, 111, 89, 102, 97, 104, 91, 99])
        async with on_azure(limits=Limits(cores=2), course=lambda _: Course(run_s=next(lengths))) as azure:
            job_ids = []
            for number in range(10):
                job_ids.append(await azure.submit(JobSpec(message="hi", priority=9 if number == 9 else 5)))
                await azure.run(until=timedelta(0))
                azure.clock.advance_to(azure.clock.now() + timedelta(seconds=1.3))
            await azure.run()
            jobs = [await azure.job(job_id) for job_id in job_ids]
            started = sorted(jobs, key=lambda job: job.attempts[0].requested_at)
            order = [job_ids.index(job.job_id) for job in started]
            assert order == [0, 1, 9, 2, 3, 4, 5, 6, 7, 8]

    asyncio.run(story())
