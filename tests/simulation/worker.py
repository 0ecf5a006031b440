"""The process inside a simulated container: the worker's side of the contract, and all the ways in which it ends.

Like the real worker, it claims first, repeats `started` and `finished` until they are answered or it gives up, and
obeys the answers. An image without a worker just runs and exits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from mayfly.containers.runtime import GroupRequest
from tests.simulation.processes import hang, sleep_until, take_turns

if TYPE_CHECKING:
    from tests.simulation.world import World

Answer = Literal["go_on", "stop", "forbidden", "refused"]

_PATIENCE_S = 600.0
_CRASHED = 137


class Worker:
    """One process in a container; a restart by the platform makes a new one."""

    def __init__(self, world: World, request: GroupRequest) -> None:
        self.claim = world.random.randbytes(16).hex()
        self.working = False
        """True: its claim was accepted, and it does the work."""
        self._world = world
        self._request = request

    async def run(self) -> int:
        """Run to the end and return the exit code; a hanging one never returns."""
        world, strike = self._world, self._world.faults.strike
        if self._request.image is not None and world.random.random() < 0.7:
            return await self._run_without_a_worker()
        if strike("worker_mute"):
            await hang()
        if strike("crash_before_claim"):
            return _CRASHED
        if strike("worker_rude"):
            await self._post({"type": "progress", "claim": self.claim, "sequence": 1, "message": "unclaimed"})
            await self._post({"type": "finished", "claim": self.claim, "outcome": "succeeded", "result": "rude"})
        answer = await self._tell({"type": "started", "claim": self.claim})
        if answer != "go_on":
            return {"stop": 0, "forbidden": 77, "refused": 70, None: 75}[answer]
        self.working = True
        for sequence in range(1, world.random.choice((1, 2, 4)) + 1):
            await self._sleep(world.random.uniform(0.1, 8))
            progress = {"type": "progress", "claim": self.claim, "sequence": sequence, "fraction": sequence / 4}
            if await self._post(progress) in ("stop", "forbidden"):
                return 0
        if strike("crash_after_claim"):
            return _CRASHED
        if strike("worker_silent"):
            await hang()
        if strike("worker_overruns"):
            await self._sleep(world.spec_of(self._request.job_id).run_timeout_s * 1.5)
        await self._sleep(world.random.choice((0.1, 1.0, 5.0, 40.0)))
        answer = await self._tell(self._finished())
        if strike("crash_after_report"):
            return _CRASHED
        return {"go_on": 0, "stop": 0, "forbidden": 77, "refused": 70, None: 75}[answer]

    async def _run_without_a_worker(self) -> int:
        world = self._world
        if world.faults.strike("worker_silent"):
            await hang()
        if world.faults.strike("worker_overruns"):
            await self._sleep(world.spec_of(self._request.job_id).run_timeout_s * 1.5)
        await self._sleep(world.random.choice((0.1, 1.0, 5.0, 40.0)))
        return world.random.choice((1, 3)) if world.faults.strike("worker_fails") else 0

    def _finished(self) -> dict[str, Any]:
        common = {"type": "finished", "claim": self.claim, "output_tail": "tail"}
        if self._world.faults.strike("worker_fails"):
            code = self._world.random.choice((1, 3))
            error = {"class": "exit", "message": f"exit code {code}"}
            return {**common, "outcome": "failed", "exit_code": code, "error": error}
        result = {"by": self.claim}
        return {**common, "outcome": "succeeded", "exit_code": 0, "result": result, "usage": {"cpu_s": 0.5}}

    async def _tell(self, document: Mapping[str, Any]) -> Answer | None:
        """Repeat a report until it is answered; None: the worker gave up."""
        world = self._world
        give_up_at = world.clock.now() + timedelta(seconds=_PATIENCE_S)
        pause_s = 0.5
        while True:
            answer = await self._post(document)
            if answer is not None:
                return answer
            if world.clock.now() >= give_up_at:
                return None
            await self._sleep(pause_s * world.random.uniform(0.5, 1))
            pause_s = min(pause_s * 2, 30.0)

    async def _post(self, document: Mapping[str, Any]) -> Answer | None:
        await take_turns()
        return await self._world.network.post(self._request, document)

    async def _sleep(self, seconds: float) -> None:
        await sleep_until(self._world.clock.now() + timedelta(seconds=seconds))
