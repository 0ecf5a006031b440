"""The connection to Cosmos DB: which errors are retried, and who closes the client."""

from __future__ import annotations

import asyncio

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.cosmos.exceptions import CosmosClientTimeoutError, CosmosHttpResponseError

from mayfly.cosmos.account import CosmosAccount, translated
from mayfly.errors import TryAgain
from tests.cosmos_server.server import CosmosServer


def _error(
    status: int, message: str = "Reason\nwith details", sub_status: int | None = None
) -> CosmosHttpResponseError:
    error = CosmosHttpResponseError(status_code=status, message=message)
    error.sub_status = sub_status
    return error


@pytest.mark.parametrize(
    "error",
    [
        *(_error(status) for status in (408, 410, 429, 449, 500, 502, 503, 504)),
        _error(404, sub_status=1002),
        CosmosClientTimeoutError(),
        ServiceRequestError("no route to host"),
    ],
    ids=lambda error: f"{type(error).__name__} {getattr(error, 'status_code', '')}",
)
def test_an_error_that_may_pass_is_retried(error: Exception) -> None:
    found = translated(error, "the event log could not be read")
    assert isinstance(found, TryAgain)
    assert str(found).startswith("the event log could not be read: ")
    assert "\n" not in str(found)
    assert "docs/" not in str(found), "an operator has nothing to fix"


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "MAYFLY_COSMOS_KEY"), (403, "docs/security.md"), (404, "docs/deploy.md")]
)
def test_an_error_that_an_operator_can_fix_is_retried_and_names_the_fix(status: int, hint: str) -> None:
    found = translated(_error(status), "the event log could not be read")
    assert isinstance(found, TryAgain)
    assert hint in str(found)


@pytest.mark.parametrize("status", [400, 409, 412, 413])
def test_any_other_error_is_a_bug_and_stays_as_it_is(status: int) -> None:
    error = _error(status)
    assert translated(error, "the event log could not be read") is error


def test_a_long_message_is_cut() -> None:
    assert len(str(translated(_error(503, "x" * 5_000), "no"))) < 250


def test_the_last_adapter_to_leave_closes_the_client(cosmos_server: CosmosServer, runner: asyncio.Runner) -> None:
    account = cosmos_server.account()
    account.join()
    account.join()

    async def written() -> None:
        container = await account.container("ledger")
        await container.upsert_item({"id": "one"})

    runner.run(written())
    runner.run(account.leave())
    runner.run(written())
    runner.run(account.leave())
    with pytest.raises(Exception, match=r"(?i)closed"):
        runner.run(written())


def test_a_reader_never_creates_a_container(cosmos_server: CosmosServer, runner: asyncio.Runner) -> None:
    account = CosmosAccount(cosmos_server.endpoint, "a2V5", database="missing", reads_only=True)
    account.join()

    async def read() -> list[object]:
        container = await account.container("ledger")
        return [item async for item in container.read_all_items()]

    with pytest.raises(CosmosHttpResponseError):
        runner.run(read())
    runner.run(account.leave())
