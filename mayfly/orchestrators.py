"""The port to the orchestrators: start the one of a job, wake it, find those that are missing.

An orchestrator keeps no state: it can be lost and started again (I1), and an event only wakes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

ORCHESTRATION = "run_job"
"""The orchestrator's function name; its instance id is the job id."""


class Orchestrators(Protocol):
    """Start and wake orchestrators. Errors: every method may raise `TryAgain` if the host does not answer."""

    async def start(self, job_id: str) -> None:
        """Start the job's orchestrator; if it is already running, this is a success."""

    async def wake(self, job_id: str, event: str) -> None:
        """Raise an external event; if the instance is missing or finished, this is a success."""

    async def missing(self, job_ids: Sequence[str]) -> Sequence[str]:
        """Return the jobs that have no pending, running or suspended orchestrator.

        Shapes: with very many jobs it may check a sample, and leave the rest to a later call. It never returns a job
        that has an orchestrator.
        """
