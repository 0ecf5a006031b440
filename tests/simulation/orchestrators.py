"""`Orchestrators` over the local host's engine, with the faults of a client that reaches it by HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from local_host.durable.hub import FINISHED, Filter
from local_host.errors import InstanceExists, InstanceFinished, InstanceMissing
from mayfly.errors import TryAgain
from mayfly.orchestrators import ORCHESTRATION

if TYPE_CHECKING:
    from tests.simulation.world import World


class EngineOrchestrators:
    """See `mayfly.orchestrators.Orchestrators`."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def start(self, job_id: str) -> None:
        """See `Orchestrators.start`."""
        await self._reach("start_fails")
        try:
            self._world.engine.start(ORCHESTRATION, instance_id=job_id)
        except InstanceExists:
            pass
        else:
            self._world.woken.pop(job_id, None)
        self._answer("start_unanswered")

    async def wake(self, job_id: str, event: str) -> None:
        """See `Orchestrators.wake`."""
        await self._reach("wake_fails")
        try:
            self._world.engine.raise_event(job_id, event, None)
        except (InstanceMissing, InstanceFinished):
            pass
        else:
            self._remember(job_id)
        self._answer("wake_unanswered")

    async def missing(self, job_ids: Sequence[str]) -> Sequence[str]:
        """See `Orchestrators.missing`."""
        await self._reach("alive_fails")
        found = self._world.engine.hub.instances(Filter(), after=0, limit=1_000)
        alive = frozenset(instance.instance_id for instance in found if instance.status not in FINISHED)
        await self._world.hop()
        return [job_id for job_id in job_ids if job_id not in alive]

    def _remember(self, job_id: str) -> None:
        """Keep that the orchestrator was woken after the end of its latest attempt."""
        rules = self._world.invariants.rules.get(job_id)
        if rules is not None and rules.tries and rules.tries[-1].outcome is not None:
            self._world.woken[job_id] = rules.tries[-1].number

    async def _reach(self, fault: str) -> None:
        await self._world.hop()
        if self._world.faults.strike(fault):
            raise TryAgain("the Durable host was not reached")

    def _answer(self, fault: str) -> None:
        if self._world.faults.strike(fault):
            raise TryAgain("the Durable host did not answer")
