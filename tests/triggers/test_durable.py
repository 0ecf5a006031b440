"""`DurableOrchestrators`: what the host answers, through the SDK's own client, and what that means for a caller."""

from __future__ import annotations

import asyncio

import azure.durable_functions as df
import pytest

from mayfly.errors import TryAgain
from tests.triggers.function_host import CLIENT_BINDING, DurableHost, patch_durable_client
from triggers.durable import DurableOrchestrators

_JOB = "ada-abcdefghij"


@pytest.fixture
def host() -> DurableHost:
    return DurableHost()


@pytest.fixture
def orchestrators(host: DurableHost, monkeypatch: pytest.MonkeyPatch) -> DurableOrchestrators:
    patch_durable_client(monkeypatch, host)
    return DurableOrchestrators(df.DurableOrchestrationClient(CLIENT_BINDING))


@pytest.mark.parametrize("before", [None, "Pending", "Running", "Completed", "Failed", "Terminated"])
def test_a_start_leaves_the_job_with_a_living_orchestrator(
    host: DurableHost, orchestrators: DurableOrchestrators, before: str | None
) -> None:
    if before is not None:
        host.statuses[_JOB] = before
    asyncio.run(orchestrators.start(_JOB))
    assert host.statuses[_JOB] in ("Pending", "Running")


@pytest.mark.parametrize(("status", "raised"), [(None, 0), ("Completed", 0), ("Failed", 0), ("Running", 1)])
def test_a_wake_reaches_who_is_there_and_is_fine_where_nobody_is(
    host: DurableHost, orchestrators: DurableOrchestrators, status: str | None, raised: int
) -> None:
    if status is not None:
        host.statuses[_JOB] = status
    asyncio.run(orchestrators.wake(_JOB, "attempt-1-ended"))
    assert host.raised == [(_JOB, "attempt-1-ended")] * raised


_STATUSES = ("Pending", "Running", "Suspended", "ContinuedAsNew", "Completed", "Failed", "Terminated", "Canceled")


def test_missing_are_all_but_the_pending_the_running_and_the_suspended(
    host: DurableHost, orchestrators: DurableOrchestrators
) -> None:
    host.statuses.update({f"job-{status}": status for status in _STATUSES})
    asked = [*host.statuses, "job-never-started"]
    missing = asyncio.run(orchestrators.missing(asked))
    assert missing == ["job-Completed", "job-Failed", "job-Terminated", "job-Canceled", "job-never-started"]


def test_who_is_beyond_the_first_page_is_asked_for_alone(
    host: DurableHost, orchestrators: DurableOrchestrators
) -> None:
    host.statuses.update({f"first-{number:03}": "Running" for number in range(100)})
    host.statuses.update({f"job-{status}": status for status in _STATUSES})
    missing = asyncio.run(orchestrators.missing([f"job-{status}" for status in _STATUSES]))
    assert sorted(missing) == ["job-Canceled", "job-Completed", "job-Failed", "job-Terminated"]


def test_a_host_that_does_not_answer_is_asked_again(host: DurableHost, orchestrators: DurableOrchestrators) -> None:
    host.broken = True
    with pytest.raises(TryAgain, match=f"did not start {_JOB}"):
        asyncio.run(orchestrators.start(_JOB))
    with pytest.raises(TryAgain, match=f"did not wake {_JOB}"):
        asyncio.run(orchestrators.wake(_JOB, "x"))
    with pytest.raises(TryAgain, match="did not list the orchestrators"):
        asyncio.run(orchestrators.missing([_JOB]))
