"""`Orchestrators` over the durable client that the host binds to a function."""

import random
from collections.abc import Sequence
from typing import Any

import azure.durable_functions as df

from mayfly.errors import TryAgain
from mayfly.orchestrators import ORCHESTRATION

_ALIVE = [
    df.OrchestrationRuntimeStatus.Pending,
    df.OrchestrationRuntimeStatus.Running,
    df.OrchestrationRuntimeStatus.Suspended,
    df.OrchestrationRuntimeStatus.ContinuedAsNew,
]
_PAGE = 100
"""The page size of the host. The SDK never requests the next page, so a full page may be incomplete."""
_CHECKED_MAX = 500
"""How many instances one call checks one by one; each takes about half a millisecond on a laptop."""


class DurableOrchestrators:
    """See `mayfly.orchestrators.Orchestrators`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def start(self, job_id: str) -> None:
        try:
            await self._client.start_new(ORCHESTRATION, instance_id=job_id)
        except Exception as error:
            if not _is_answer(error, {"ALREADY_EXISTS"}, ("already exists",)):
                raise TryAgain(f"the Durable host did not start {job_id}: {error}") from error

    async def wake(self, job_id: str, event: str) -> None:
        try:
            await self._client.raise_event(job_id, event)
        except Exception as error:
            # No such instance, or one that has ended: 404 and 410 over HTTP.
            if not _is_answer(
                error, {"NOT_FOUND", "FAILED_PRECONDITION"}, ("No instance with ID", "completed or failed")
            ):
                raise TryAgain(f"the Durable host did not wake {job_id}: {error}") from error

    async def missing(self, job_ids: Sequence[str]) -> Sequence[str]:
        try:
            listed = await self._client.get_status_by(runtime_status=_ALIVE)
            alive = {status.instance_id for status in listed}
            missing = [job_id for job_id in job_ids if job_id not in alive]
            if len(listed) < _PAGE:
                return missing
            some = random.sample(missing, min(len(missing), _CHECKED_MAX))
            return [job_id for job_id in some if not await self._is_alive(job_id)]
        except Exception as error:
            raise TryAgain(f"the Durable host did not list the orchestrators: {error}") from error

    async def _is_alive(self, job_id: str) -> bool:
        status = await self._client.get_status(job_id)
        return bool(status) and status.runtime_status in _ALIVE


def _is_answer(error: Exception, codes: set[str], texts: tuple[str, ...]) -> bool:
    """Say whether the host answered with one of these gRPC status codes or, over HTTP, one of these texts.

    Version 1 of the SDK raises a bare `Exception` with its own text or the host's response in it; version 2 raises
    `grpc.RpcError`, whose `code()` is a `grpc.StatusCode`. Version 1 brings no gRPC, so the code is known by its name.

    Source: HttpApiHandler.cs and TaskHubGrpcServer.cs of the Durable extension, azure-functions-durable-python #410.
    """
    code = getattr(error, "code", None)
    if callable(code):
        return getattr(code(), "name", None) in codes
    return any(text in str(error) for text in texts)
