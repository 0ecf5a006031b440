"""One place with room for a fixed number of groups: this machine.

First come, first served: who was held longest is admitted first. The ledger is in memory and starts from the groups
that the runtime lists, so a restart forgets nothing but the order of the line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from mayfly.admission.admission import Admitted, Held
from mayfly.jobs.job import Job

_PATIENCE_S = 1.0
"""How long the first in line waits before it asks again."""
_PER_PLACE_S = 0.05
"""How much longer each further one waits: jobs that end free places at about this pace on one machine."""


class OnePlace:
    """`Admission` for one machine."""

    def __init__(self, place: str, *, groups_max: int, jobs_present: Callable[[], Awaitable[Iterable[str]]]) -> None:
        self._place = place
        self._groups_max = groups_max
        self._jobs_present = jobs_present
        self._admitted: set[str] | None = None
        self._line: dict[str, datetime] = {}
        """Who is held, in the order of asking, and until when: one that does not come back loses its turn."""
        self._released: set[str] = set()
        """Before the ledger is there: who must not be in it, although a list that is under way may still say so."""

    async def admit(self, job: Job, *, now: datetime) -> Admitted | Held:
        """See `Admission.admit`."""
        if self._admitted is None:
            present = set(await self._jobs_present())
            if self._admitted is None:  # whoever asked at the same time and was quicker has made the ledger
                self._admitted = present - self._released
        if job.job_id in self._admitted:
            return Admitted(place=self._place)
        for job_id, until in list(self._line.items()):
            if until + timedelta(seconds=10 * _PATIENCE_S) < now:
                del self._line[job_id]
        self._line.setdefault(job.job_id, now)
        turn = list(self._line).index(job.job_id)
        if turn < self._groups_max - len(self._admitted):
            del self._line[job.job_id]
            self._admitted.add(job.job_id)
            return Admitted(place=self._place)
        until = now + timedelta(seconds=_PATIENCE_S + turn * _PER_PLACE_S)
        self._line[job.job_id] = until
        used = f"{len(self._admitted)} of {self._groups_max} container groups are in use here"
        return Held(reason=f"{used}; number {turn + 1} in line", until=until)

    async def release(self, job_id: str) -> None:
        """See `Admission.release`."""
        if self._admitted is None:
            self._released.add(job_id)
        else:
            self._admitted.discard(job_id)
