"""`Orchestrators` over the durable client that the host binds to a function."""

import asyncio
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


class DurableOrchestrators:
    """See `mayfly.orchestrators.Orchestrators`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def start(self, job_id: str) -> None:
        """See `Orchestrators.start`."""
        try:
            await self._client.start_new(ORCHESTRATION, instance_id=job_id)
        except Exception as error:
            # The SDK raises a bare Exception with the host's answer in it; an id in use is answered with a 500 whose
            # text says so. Source: HttpApiHandler.cs of the Durable extension, azure-functions-durable-python #410.
            if "already exists" not in str(error):
                raise _translated(error, "start", job_id) from error

    async def wake(self, job_id: str, event: str) -> None:
        """See `Orchestrators.wake`."""
        try:
            await self._client.raise_event(job_id, event)
        except Exception as error:
            # 404 and 410, as the SDK words them: no such instance, or one that has ended.
            if "No instance with ID" not in str(error) and "completed or failed" not in str(error):
                raise _translated(error, "wake", job_id) from error

    async def alive(self) -> frozenset[str]:
        """See `Orchestrators.alive`."""
        try:
            statuses = await self._client.get_status_by(runtime_status=_ALIVE)
        except Exception as error:
            raise _translated(error, "list", "the orchestrators") from error
        return frozenset(status.instance_id for status in statuses)


def _translated(error: Exception, verb: str, what: str) -> Exception:
    """Return the error for what a caller can do about it: a host that does not answer may answer later."""
    if isinstance(error, asyncio.CancelledError):
        return error
    return TryAgain(f"the Durable host did not {verb} {what}: {error}")
