"""`DurableOrchestrators`: what the host answers, through the SDK's own client, and what that means for a caller."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import NoReturn

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
def test_a_start_leaves_the_job_with_an_orchestrator(
    host: DurableHost, orchestrators: DurableOrchestrators, before: str | None
) -> None:
    if before is not None:
        host.statuses[_JOB] = before
    asyncio.run(orchestrators.start(_JOB))
    assert host.statuses[_JOB] in ("Pending", "Running")


@pytest.mark.parametrize(("status", "raised"), [(None, 0), ("Completed", 0), ("Failed", 0), ("Running", 1)])
def test_a_wake_reaches_a_running_instance_and_succeeds_without_one(
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


def test_instances_beyond_the_first_page_are_checked_one_by_one(
    host: DurableHost, orchestrators: DurableOrchestrators
) -> None:
    host.statuses.update({f"first-{number:03}": "Running" for number in range(100)})
    host.statuses.update({f"job-{status}": status for status in _STATUSES})
    missing = asyncio.run(orchestrators.missing([f"job-{status}" for status in _STATUSES]))
    assert sorted(missing) == ["job-Canceled", "job-Completed", "job-Failed", "job-Terminated"]


def test_an_unavailable_host_is_tried_again(host: DurableHost, orchestrators: DurableOrchestrators) -> None:
    host.broken = True
    with pytest.raises(TryAgain, match=f"did not start {_JOB}"):
        asyncio.run(orchestrators.start(_JOB))
    with pytest.raises(TryAgain, match=f"did not wake {_JOB}"):
        asyncio.run(orchestrators.wake(_JOB, "x"))
    with pytest.raises(TryAgain, match="did not list the orchestrators"):
        asyncio.run(orchestrators.missing([_JOB]))


class _Code(Enum):
    """Some of `grpc.StatusCode`, which version 1 of the SDK does not bring, and what goes with each."""

    UNAVAILABLE = "failed to connect to all addresses"
    NOT_FOUND = "Orchestration instance 'ada-abcdefghij' not found"
    ALREADY_EXISTS = "An Orchestration instance with the ID ada-abcdefghij already exists."
    FAILED_PRECONDITION = "The orchestration instance with the provided instance id is not running."


class _RpcError(Exception):
    """As version 2 of the SDK lets it through: `grpc.aio.AioRpcError`."""

    def __init__(self, code: _Code) -> None:
        super().__init__(f"<AioRpcError of RPC that terminated with: {code.name}, {code.value}>")
        self._code = code

    def code(self) -> _Code:
        return self._code


class _GrpcClient:
    """A client whose every call the host answers with an error."""

    def __init__(self, code: _Code) -> None:
        self._code = code

    async def start_new(self, name: str, *, instance_id: str) -> NoReturn:
        raise _RpcError(self._code)

    async def raise_event(self, instance_id: str, name: str) -> NoReturn:
        raise _RpcError(self._code)


def test_over_grpc_an_id_in_use_is_started() -> None:
    asyncio.run(DurableOrchestrators(_GrpcClient(_Code.ALREADY_EXISTS)).start(_JOB))


@pytest.mark.parametrize("code", [_Code.NOT_FOUND, _Code.FAILED_PRECONDITION])
def test_over_grpc_an_instance_that_is_missing_or_finished_needs_no_waking(code: _Code) -> None:
    asyncio.run(DurableOrchestrators(_GrpcClient(code)).wake(_JOB, "attempt-1-ended"))


@pytest.mark.parametrize("code", [_Code.UNAVAILABLE, _Code.ALREADY_EXISTS])
def test_over_grpc_any_other_code_of_a_wake_can_be_retried(code: _Code) -> None:
    with pytest.raises(TryAgain, match=f"did not wake {_JOB}"):
        asyncio.run(DurableOrchestrators(_GrpcClient(code)).wake(_JOB, "x"))


@pytest.mark.parametrize("code", [_Code.UNAVAILABLE, _Code.NOT_FOUND])
def test_over_grpc_any_other_code_of_a_start_can_be_retried(code: _Code) -> None:
    with pytest.raises(TryAgain, match=f"did not start {_JOB}"):
        asyncio.run(DurableOrchestrators(_GrpcClient(code)).start(_JOB))
