"""Admission to an ordered list of places: quotas, rates and a queue, in a ledger that processes share.

The same code serves one machine (one place, a limit on groups, no rates) and Azure (regions with rates and with quotas
that others use as well). The rules are in `placement.py` and `rates.py`.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from mayfly.admission.admission import Admitted, Held
from mayfly.admission.ledger import Ledger, LedgerState, Reservation
from mayfly.admission.placement import (
    ALL,
    HoldPolicy,
    place,
    queue_entry,
    with_cooldown,
    with_request,
    without,
)
from mayfly.admission.rates import EVERYWHERE, Rate, nth_time, pruned
from mayfly.errors import TryAgain
from mayfly.jobs.job import Job
from mayfly.jobs.places import Place, Quota, region_of

QUOTA_AGE_S = 30.0
"""Maximum age of a cached quota."""
_ORPHANED_S = 600.0
"""A reservation older than this without a container is an orphan."""
_TRIES = 50

T = TypeVar("T")

_logger = logging.getLogger("mayfly.admission")


class PlacementAdmission:
    """`Admission` to several places.

    Shapes: `present` returns a reservation for each job that has a container and is still tracked; a new ledger starts
    with these. `quota` returns the limits of a place and their use by everyone.
    """

    def __init__(
        self,
        places: Sequence[Place],
        *,
        ledger: Ledger,
        present: Callable[[], Awaitable[Mapping[str, Reservation]]],
        quota: Callable[[Place], Awaitable[Quota]],
        rates: Sequence[Rate],
        holds: HoldPolicy,
    ) -> None:
        self._places = {one.name: one for one in places}
        self._ledger = ledger
        self._present = present
        self._quota = quota
        self._rates = rates
        self._holds = holds
        self._released: set[str] = set()
        """Jobs released before the ledger exists: a listing in progress may still include their containers."""
        self._begun = False
        self._quotas: dict[str, tuple[datetime, Quota]] = {}
        self._reading = asyncio.Lock()
        self._writing = asyncio.Lock()

    async def admit(self, job: Job, *, now: datetime) -> Admitted | Held:
        await self._begin(now)
        at = now.timestamp()
        entry, held = queue_entry(job, tuple(self._places.values()), now=at)
        if held is not None:
            return held
        quotas = await self._quotas_of(entry.places, now)

        def change(state: LedgerState) -> tuple[LedgerState, Admitted | Held]:
            reservation = state.reservations.get(job.job_id)
            if reservation is not None:
                return state, Admitted(place=reservation.place)
            return place(
                with_cooldown(state, job, now=at),
                job.job_id,
                entry,
                places=self._places,
                quotas=quotas,
                rates=self._rates,
                holds=self._holds,
                now=at,
            )

        return await self._change(change)

    async def release(self, job_id: str) -> None:
        if not self._begun:
            self._released.add(job_id)
        await self._change(lambda state: (without(state, {job_id}), None))

    async def may_delete(self, place_name: str, *, now: datetime) -> datetime | None:
        if not self._rates:
            return None
        await self._begin(now)
        region, at = region_of(place_name), now.timestamp()

        def change(state: LedgerState) -> tuple[LedgerState, float]:
            here, everywhere = state.deletes.get(region, ()), state.deletes.get(ALL, ())
            until = max(nth_time(here, self._rates, at, 0), nth_time(everywhere, EVERYWHERE, at, 0))
            if until > at:
                return state, until
            return replace(state, deletes=with_request(state.deletes, region, self._rates, at)), at

        until = await self._change(change)
        return datetime.fromtimestamp(until, UTC) if until > at else None

    async def obstacles(self, *, cpu: float, memory_gb: float, now: datetime) -> tuple[str | None, Sequence[str]]:
        found = []
        first: str | None = None
        for one in self._places.values():
            if not one.holds(cpu=cpu, memory_gb=memory_gb):
                found.append(f"{one.name} allows at most {one.cpu_max:g} cores and {one.memory_gb_max:g} GB")
                continue
            first = first or one.name
            quota = (await self._quotas_of((one.name,), now))[one.name]
            if quota.cores_max is not None and cpu > quota.cores_max:
                found.append(f"the quota of {one.name} is {quota.cores_max:g} cores")
        # A place that is too small is an obstacle only if no other place will do.
        return first, found if len(found) == len(self._places) else ()

    async def _begin(self, now: datetime) -> None:
        """On first use, create the ledger from the existing containers, or remove orphans from it."""
        if self._begun:
            return
        state, version = await self._ledger.read()
        present = dict(await self._present())
        if state is not None:
            limit = now.timestamp() - _ORPHANED_S
            await self._change(lambda known: (_without_orphans(known, present.keys(), older_than=limit), None))
        elif not self._begun:
            creates = _creates_of(present, self._rates, now)
            initial = without(LedgerState(reservations=present, creates=creates), self._released)
            await self._ledger.write(initial, expected=version)  # fails if another process was faster, which is fine
        self._begun = True

    async def _change(self, change: Callable[[LedgerState], tuple[LedgerState, T]]) -> T:
        """Read, change and write the ledger; repeat if another process wrote in between.

        Shapes: `change` returns the state to write and the result; nothing is written if the state is its argument.
        Errors: `TryAgain`.
        """
        async with self._writing:
            for _ in range(_TRIES):
                known, version = await self._ledger.read()
                state = known or LedgerState()
                changed, result = change(state)
                if changed is state or await self._ledger.write(changed, expected=version):
                    return result
                await asyncio.sleep(random.uniform(0, 0.05))  # noqa: S311 - so that writers do not collide again
        raise TryAgain(f"gave up after {_TRIES} concurrent writes to the ledger of places; retry")

    async def _quotas_of(self, names: Sequence[str], now: datetime) -> Mapping[str, Quota]:
        """Return the quota of each place, with the use by others than Mayfly."""
        found = {}
        async with self._reading:  # one read for all concurrent callers: Azure limits reads too, and refuses the 251st
            for name in names:
                known = self._quotas.get(name)
                if known is None or (now - known[0]).total_seconds() >= QUOTA_AGE_S:
                    known = self._quotas[name] = (now, await self._of_others(self._places[name]))
                found[name] = known[1]
        return found

    async def _of_others(self, one: Place) -> Quota:
        try:
            quota = await self._quota(one)
        except TryAgain as error:
            # Without current numbers, Azure's own refusals are the limit, and they only hold the job.
            _logger.warning("the quota of %s: %s", one.name, error)
            return Quota()
        state, _ = await self._ledger.read()
        reservations = (state or LedgerState()).reservations.values()
        groups = sum(region_of(other.place) == one.region for other in reservations)
        cores = sum(other.cores for other in reservations if other.place == one.name)
        return replace(
            quota, groups_used=max(0, quota.groups_used - groups), cores_used=max(0.0, quota.cores_used - cores)
        )


def _creates_of(
    present: Mapping[str, Reservation], rates: Sequence[Rate], now: datetime
) -> dict[str, tuple[float, ...]]:
    """Return the times of recent creates by region, as far as existing containers show them."""
    creates: dict[str, tuple[float, ...]] = {}
    if rates:
        for one in sorted(present.values(), key=lambda one: one.at):
            region = region_of(one.place)
            creates[region] = pruned((*creates.get(region, ()), one.at), rates, now.timestamp())
    return creates


def _without_orphans(state: LedgerState, present: Iterable[str], *, older_than: float) -> LedgerState:
    """Return the ledger without old reservations that have no container and without old queue entries."""
    tracked = set(present)
    orphans = {job_id for job_id, one in state.reservations.items() if one.at < older_than and job_id not in tracked}
    orphans |= {job_id for job_id, entry in state.queue.items() if entry.until < older_than}
    return without(state, orphans)
