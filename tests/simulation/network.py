"""The network between worker and host: reports are lost, delayed, doubled and reordered, and so are the answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mayfly.containers.runtime import GroupRequest
from mayfly.errors import NotFound, Rejected, TryAgain, Unauthorized
from mayfly.jobs.reports import Verdict
from mayfly.use_cases.receive_report import receive
from tests.simulation.processes import Signal, sleep_until, wait_for
from tests.simulation.worker import Answer

if TYPE_CHECKING:
    from tests.simulation.world import World

_ANSWERS: dict[Verdict, Answer] = {
    "accept": "go_on",
    "seen": "go_on",
    "claimed_by_another": "stop",
    "not_claimed": "stop",
    "attempt_over": "stop",
}
"""As the HTTP API answers and as the worker understands it."""


class Network:
    """Between the workers and the host."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def post(self, request: GroupRequest, document: Mapping[str, Any]) -> Answer | None:
        """Send a report as a worker does; None: no answer, or an answer to retry later."""
        world, strike = self._world, self._world.faults.strike
        if strike("report_lost"):
            return await self._no_answer()
        if strike("report_late"):
            self._later(request, document, longest_s=240)
            return await self._no_answer()
        if strike("report_twice"):
            self._later(request, document, longest_s=20)
        answered = Signal()
        world.run(
            f"report {document['type']} of {world.alias(request.group)}",
            self._receive(request, document),
            host=True,
            on_end=answered.tell,
        )
        answer: Answer | None = await wait_for(answered)
        return await self._no_answer() if strike("answer_lost") else answer

    async def _no_answer(self) -> Answer | None:
        await sleep_until(self._world.clock.now() + timedelta(seconds=self._world.random.uniform(0.1, 30)))
        return None

    def _later(self, request: GroupRequest, document: Mapping[str, Any], *, longest_s: float) -> None:
        at = self._world.clock.now() + timedelta(seconds=self._world.random.uniform(0.1, longest_s))
        label = f"late report {document['type']} of {self._world.alias(request.group)}"
        self._world.run(label, self._carry(label, request, document, at), host=False)

    async def _carry(self, label: str, request: GroupRequest, document: Mapping[str, Any], at: Any) -> None:
        await sleep_until(at)
        self._world.run(f"{label}, received", self._receive(request, document), host=True)

    async def _receive(self, request: GroupRequest, document: Mapping[str, Any]) -> Answer | None:
        world = self._world
        authorization = f"Bearer {request.secure_env['MAYFLY_REPORT_TOKEN']}"
        world.invariants.report_sent(request, document)
        try:
            attempt = world.mayfly.tokens.check(authorization, request.job_id, now=world.clock.now())
            verdict = await receive(world.mayfly, world.orchestrators, request.job_id, attempt, document)
        except (TryAgain, NotFound):
            return None
        except Unauthorized:
            return "forbidden"
        except Rejected:
            return "refused"
        world.verdicts[verdict] += 1
        world.invariants.report_judged(request, document, verdict)
        world.note(f"verdict {verdict} on {document['type']} of {world.alias(request.group)}")
        return _ANSWERS[verdict]
