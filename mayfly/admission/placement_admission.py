"""Admission to an ordered list of places: quotas, rates and a line, kept in a ledger that processes share.

One code serves a laptop (one place, a limit on groups, no rates) and Azure (regions with quotas that others use too,
and rates of creates and deletes). The rules are in `placing.py` and `rates.py`; this file asks and writes.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from mayfly.admission.admission import Admitted, Held
from mayfly.admission.ledger import Ledger, LedgerState, Reservation
from mayfly.admission.placement import ALL, Pacing, Placement, ask_for, barred, counted, place, without
from mayfly.admission.rates import EVERYWHERE, Rate, nth_time, pruned
from mayfly.errors import TryAgain
from mayfly.jobs.job import Job
from mayfly.jobs.places import Place, Quota

QUOTA_AGE_S = 30.0
"""How old a look at the live quota may be."""
_STALE_S = 600.0
"""A share that is older and has no container belongs to nobody."""
_TRIES = 50

_logger = logging.getLogger("mayfly.admission")


class PlacementAdmission:
    """See `Admission`.

    `present` returns the share of each job that has a container and is still followed: what the book starts from.
    `quota` returns what a place allows and what is used of it by anybody.
    """

    def __init__(
        self,
        places: Sequence[Place],
        *,
        ledger: Ledger,
        present: Callable[[], Awaitable[Mapping[str, Reservation]]],
        quota: Callable[[Place], Awaitable[Quota]],
        rates: Sequence[Rate],
        pacing: Pacing,
    ) -> None:
        self._places = {one.name: one for one in places}
        self._ledger = ledger
        self._present = present
        self._quota = quota
        self._rates = rates
        self._pacing = pacing
        self._released: set[str] = set()
        """Before there is a book: whose share must not be in it, although a list that is under way may say so."""
        self._begun = False
        self._quotas: dict[str, tuple[datetime, Quota]] = {}
        self._asking = asyncio.Lock()
        self._writing = asyncio.Lock()

    async def admit(self, job: Job, *, now: datetime) -> Admitted | Held:
        """See `Admission.admit`."""
        await self._begin(now)
        at = now.timestamp()
        turn, answer = ask_for(job, tuple(self._places.values()), now=at)
        if answer is not None:
            return _held(answer)
        quotas = await self._quotas_of(turn.places, now)
        answers: list[Placement] = []

        def change(book: LedgerState) -> LedgerState:
            share = book.shares.get(job.job_id)
            if share is not None:
                answers.append(Placement(place=share.place))
                return book
            book, found = place(
                barred(book, job, now=at),
                job.job_id,
                turn,
                places=self._places,
                quotas=quotas,
                rates=self._rates,
                pacing=self._pacing,
                now=at,
            )
            answers.append(found)
            return book

        await self._change(change)
        found = answers[-1]
        return Admitted(place=found.place) if found.place is not None else _held(found)

    async def release(self, job_id: str) -> None:
        """See `Admission.release`."""
        if not self._begun:
            self._released.add(job_id)
        await self._change(lambda book: without(book, {job_id}), make=False)

    async def may_delete(self, place_name: str, *, now: datetime) -> datetime | None:
        """See `Admission.may_delete`."""
        if not self._rates:
            return None
        await self._begin(now)
        region, at = Place(name=place_name).region, now.timestamp()
        waits: list[float | None] = []

        def change(book: LedgerState) -> LedgerState:
            here, everywhere = book.deletes.get(region, ()), book.deletes.get(ALL, ())
            until = max(nth_time(here, self._rates, at, 0), nth_time(everywhere, EVERYWHERE, at, 0))
            if until > at:
                waits.append(until)
                return book
            waits.append(None)
            return replace(book, deletes=counted(book.deletes, region, self._rates, at))

        await self._change(change)
        wait = waits[-1]
        return None if wait is None else datetime.fromtimestamp(wait, UTC)

    async def obstacles(self, *, cpu: float, memory_gb: float, now: datetime) -> tuple[str | None, Sequence[str]]:
        """See `Admission.obstacles`."""
        found = []
        first: str | None = None
        for one in self._places.values():
            if not one.holds(cpu=cpu, memory_gb=memory_gb):
                found.append(f"{one.name} holds {one.cpu_max:g} cores and {one.memory_gb_max:g} GB at most")
                continue
            first = first or one.name
            quota = (await self._quotas_of((one.name,), now))[one.name]
            if quota.cores_max is not None and cpu > quota.cores_max:
                found.append(f"the quota of {one.name} is {quota.cores_max:g} cores")
        # A place that will not do stands in the way only where no other does.
        return first, found if len(found) == len(self._places) else ()

    async def close(self) -> None:
        """Let go of the ledger."""
        await self._ledger.close()

    async def _begin(self, now: datetime) -> None:
        """Make the book from what there is, where there is none."""
        if self._begun:
            return
        book, version = await self._ledger.read()
        shares = dict(await self._present())
        if book is not None:
            old = now.timestamp() - _STALE_S
            await self._change(lambda known: _without_strays(known, shares.keys(), older_than=old))
        elif not self._begun:
            made = without(LedgerState(shares=shares, creates=_creates_of(shares, self._rates, now)), self._released)
            await self._ledger.write(made, expected=version)  # or whoever was quicker has made it
        self._begun = True

    async def _change(self, change: Callable[[LedgerState], LedgerState], *, make: bool = True) -> None:
        """Read, change, write; again when somebody else wrote meanwhile. Without `make`, an absent book stays so.

        Errors: `TryAgain`.
        """
        async with self._writing:
            for _ in range(_TRIES):
                book, version = await self._ledger.read()
                if book is None and not make:
                    return
                changed = change(book or LedgerState())
                if changed is book or await self._ledger.write(changed, expected=version):
                    return
                await asyncio.sleep(random.uniform(0, 0.05))  # noqa: S311 - so that writers do not meet again
        raise TryAgain(f"the ledger of places was changed {_TRIES} times while one job was admitted")

    async def _quotas_of(self, names: Sequence[str], now: datetime) -> Mapping[str, Quota]:
        """Return of each place what it allows, and what of it is used by others than Mayfly."""
        found = {}
        async with self._asking:  # one look for all who ask at once: Azure counts reads too, and refuses the 251st
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
            # Without the live numbers Azure's own refusals are the limit, and they only hold the job.
            _logger.warning("the quota of %s: %s", one.name, error)
            return Quota()
        book, _ = await self._ledger.read()
        shares = (book or LedgerState()).shares.values()
        groups = sum(Place(name=share.place).region == one.region for share in shares)
        cores = sum(share.cores for share in shares if share.place == one.name)
        return replace(
            quota,
            groups_used=max(0, quota.groups_used - groups),
            cores_used=max(0.0, quota.cores_used - cores),
        )


def _creates_of(
    shares: Mapping[str, Reservation], rates: Sequence[Rate], now: datetime
) -> dict[str, tuple[float, ...]]:
    """Return the creates by region, as far as the containers that are there tell of them."""
    creates: dict[str, tuple[float, ...]] = {}
    if rates:
        for share in sorted(shares.values(), key=lambda one: one.at):
            region = Place(name=share.place).region
            creates[region] = pruned((*creates.get(region, ()), share.at), rates, now.timestamp())
    return creates


def _without_strays(book: LedgerState, present: Iterable[str], *, older_than: float) -> LedgerState:
    wanted = set(present)
    strays = {job_id for job_id, share in book.shares.items() if share.at < older_than and job_id not in wanted}
    strays |= {job_id for job_id, turn in book.line.items() if turn.until < older_than}
    return without(book, strays)


def _held(answer: Placement) -> Held:
    return Held(reason=answer.reason, until=datetime.fromtimestamp(answer.until, UTC))
