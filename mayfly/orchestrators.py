"""The port to whatever runs orchestrators: start the one of a job, wake it, ask which are alive.

An orchestrator is a convenience of the log: it can be lost and started again (I1), and an event only wakes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

ORCHESTRATION = "run_job"
"""The orchestrator's function name; its instance id is the job id."""


class Orchestrators(Protocol):
    """Errors: every method may raise `TryAgain` when the host does not answer."""

    async def start(self, job_id: str) -> None:
        """Start the job's orchestrator; one that is running already is success."""
        ...

    async def wake(self, job_id: str, event: str) -> None:
        """Raise an external event; an instance that is missing or finished is success, for there is none to wake."""
        ...

    async def missing(self, job_ids: Sequence[str]) -> Sequence[str]:
        """Return those of the jobs that have no orchestrator that is pending, running or suspended.

        Of very many it may look at some and leave the others to a later call; it never names one that has one.
        """
        ...
