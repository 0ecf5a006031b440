"""One place with a fixed number of groups: this machine, under the same rules as Azure's regions.

The ledger is in memory and starts from the groups that the runtime lists: a restart loses only the queue's order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from mayfly.admission.ledger import MemoryLedger, Reservation
from mayfly.admission.placement import HoldPolicy
from mayfly.admission.placement_admission import PlacementAdmission
from mayfly.jobs.places import Place, Quota

_HOLDS = HoldPolicy(front_hold_s=1.0, step_s=0.02, hold_max_s=300.0)
"""The step matches how fast one machine finishes jobs: two cores finish 40 to 50 short jobs a second."""


def single_machine(
    name: str, *, groups_max: int, jobs_present: Callable[[], Awaitable[Iterable[str]]]
) -> PlacementAdmission:
    """Return the `Admission` for one machine."""

    async def present() -> Mapping[str, Reservation]:
        return {job_id: Reservation(place=name, cores=1.0, at=0.0) for job_id in await jobs_present()}

    async def quota(_: Place) -> Quota:
        return Quota(groups_max=groups_max)

    return PlacementAdmission(
        (Place(name=name),), ledger=MemoryLedger(), present=present, quota=quota, rates=(), holds=_HOLDS
    )
