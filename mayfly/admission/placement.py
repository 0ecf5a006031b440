"""Who may start now, and where: pure, from the book, the places and a job to an answer.

First come, first served within a priority. Whoever is ahead in line takes their share first, on paper; one who finds
no room keeps the places that they may go to for themselves, so that a large job is not overtaken for ever. A job that
no place could ever hold does not wait in that line.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mayfly.admission.ledger import Cooldown, LedgerState, QueueEntry, Reservation
from mayfly.admission.rates import EVERYWHERE, Rate, free_now, nth_time, pruned
from mayfly.jobs.job import Job
from mayfly.jobs.places import Place, Quota, cores_of

ALL = "*"
"""The name under which the book counts all regions together."""
LINE_MAX = 2_000
"""Who is further back is not written down, and asks again: an item of Cosmos DB holds 2 MB, and costs by its size."""
BAR_S = 60.0
"""How long a place that had no capacity is left alone."""
_ROUND_S = 60.0
"""How long a job waits after every place has refused it; twice as long after each further round."""
_ROUND_S_MAX = 900.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pacing:
    """How long those who wait are told to wait."""

    patience_s: float
    """The first in line, where it is not known when there will be room."""
    step_s: float
    """Each further one, on top."""
    longest_s: float
    """Even where a rate says that it will be later: others may leave the line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """What was found for a job."""

    place: str | None
    """None: it waits."""
    reason: str = ""
    until: float = 0.0


def ask_for(job: Job, places: Sequence[Place], *, now: float) -> tuple[QueueEntry, Placement | None]:
    """Return the job's turn in line, and an answer where none of the places will do for now.

    A place that refused it for want of capacity is not asked again before every other one was.
    """
    cores = cores_of(job.spec.cpu)
    fitting = [place.name for place in places if place.holds(cpu=job.spec.cpu, memory_gb=job.spec.memory_gb)]
    refused, rounds, refused_at = _refusals(job, fitting)
    turn = QueueEntry(
        priority=job.spec.priority,
        submitted_at=job.submitted_at.timestamp(),
        cores=cores,
        places=tuple(name for name in fitting if name not in refused),
        until=now,
    )
    if not fitting:
        largest = max(places, key=lambda place: (place.cpu_max, place.memory_gb_max))
        reason = (
            f"no place holds {job.spec.cpu:g} cores and {job.spec.memory_gb:g} GB:"
            f" {largest.name} holds {largest.cpu_max:g} and {largest.memory_gb_max:g}"
        )
        return turn, Placement(place=None, reason=reason, until=now + _ROUND_S_MAX)
    if rounds and not refused:
        again = refused_at + min(_ROUND_S * 2 ** (rounds - 1), _ROUND_S_MAX)
        if again > now:
            reason = f"no capacity in {', '.join(fitting)}; asked again at {_clock(again)}"
            return turn, Placement(place=None, reason=reason, until=again)
    return turn, None


def place(
    book: LedgerState,
    job_id: str,
    turn: QueueEntry,
    *,
    places: Mapping[str, Place],
    quotas: Mapping[str, Quota],
    rates: Sequence[Rate],
    pacing: Pacing,
    now: float,
) -> tuple[LedgerState, Placement]:
    """Give the job a share, or a place in line.

    Shapes: `quotas` says of each place what it allows, and as used what is used by others than Mayfly.
    """
    gone_since = now - 10 * pacing.patience_s
    ahead = _ahead(book, job_id, turn, gone_since=gone_since)
    room = _Room(book, places, quotas, rates, now)
    if all(room.too_small(name, turn.cores) for name in turn.places):
        reason = room.limit_of(turn.places[0])
        answer = Placement(
            place=None, reason=f"{reason}, and it asks for {turn.cores:g} cores", until=now + _ROUND_S_MAX
        )
        return without(book, {job_id}), answer
    queue = [*ahead]
    heapq.heapify(queue)
    while queue and not room.closed(turn.places, turn.cores):
        other = book.line[heapq.heappop(queue)[-1]]
        room.take(other.places, other.cores)
    found = room.take(turn.places, turn.cores)
    if found is not None:
        shares = {**book.shares, job_id: Reservation(place=found, cores=turn.cores, at=now)}
        creates = counted(book.creates, places[found].region, rates, now) if rates else book.creates
        bars = {name: bar for name, bar in book.bars.items() if bar.until > now}
        return replace(without(book, {job_id}), shares=shares, creates=creates, bars=bars), Placement(place=found)
    answer = _wait(room, turn, len(ahead), pacing, now)
    line = {**book.line, job_id: replace(turn, until=answer.until)}
    return replace(book, line=_shortened(line, gone_since=gone_since)), answer


def without(book: LedgerState, jobs: Collection[str]) -> LedgerState:
    """Return the book without what is set aside for these jobs, and without them in line."""
    if not any(job_id in book.shares or job_id in book.line for job_id in jobs):
        return book
    shares, line = dict(book.shares), dict(book.line)
    for job_id in jobs:
        shares.pop(job_id, None)
        line.pop(job_id, None)
    return replace(book, shares=shares, line=line)


def _ahead(book: LedgerState, job_id: str, turn: QueueEntry, *, gone_since: float) -> list[tuple[int, float, int, str]]:
    """Return who comes before the job: of a higher priority, or older, or of the same age and earlier in asking.

    Who was to ask again before `gone_since` and did not has lost its turn.
    """
    first_asked = next((place for place, other in enumerate(book.line) if other == job_id), len(book.line))
    mine = (-turn.priority, turn.submitted_at, first_asked)
    return [
        (-one.priority, one.submitted_at, asked, other)
        for asked, (other, one) in enumerate(book.line.items())
        if one.until >= gone_since and (-one.priority, one.submitted_at, asked) < mine
    ]


def _shortened(line: Mapping[str, QueueEntry], *, gone_since: float) -> Mapping[str, QueueEntry]:
    """Return the line, where it is too long without who has lost their turn, and without its end."""
    if len(line) <= LINE_MAX:
        return line
    living = {job_id: turn for job_id, turn in line.items() if turn.until >= gone_since}
    first = sorted(living, key=lambda job_id: (-living[job_id].priority, living[job_id].submitted_at))[:LINE_MAX]
    kept = set(first)
    return {job_id: turn for job_id, turn in living.items() if job_id in kept}


def counted(
    times: Mapping[str, tuple[float, ...]], region: str, rates: Sequence[Rate], now: float
) -> dict[str, tuple[float, ...]]:
    """Return the times with one more, in its region and in all."""
    here, everywhere = pruned(times.get(region, ()), rates, now), pruned(times.get(ALL, ()), EVERYWHERE, now)
    return {**times, region: (*here, now), ALL: (*everywhere, now)}


def barred(book: LedgerState, job: Job, *, now: float) -> LedgerState:
    """Note the capacity that the job's last container was refused for want of."""
    attempt = job.attempt
    if attempt is None or attempt.refusal != "relocate" or attempt.ended_at is None:
        return book
    until = attempt.ended_at.timestamp() + BAR_S
    known = book.bars.get(attempt.place)
    if until <= now or (known is not None and known.until >= until):
        return book
    cores = cores_of(job.spec.cpu)
    if known is not None and known.until > now:
        cores = min(cores, known.cores)
    return replace(book, bars={**book.bars, attempt.place: Cooldown(until=until, cores=cores)})


class _Room:
    """What is left of each place while those in line take their shares on paper."""

    def __init__(
        self,
        book: LedgerState,
        places: Mapping[str, Place],
        quotas: Mapping[str, Quota],
        rates: Sequence[Rate],
        now: float,
    ) -> None:
        self._book, self._places, self._quotas, self._rates, self._now = book, places, quotas, rates, now
        self._regions = {name: one.region for name, one in places.items()}
        self._groups: dict[str, int] = {}
        self._cores: dict[str, float] = {}
        for share in book.shares.values():
            region = self._region(share.place)
            self._groups[region] = self._groups.get(region, 0) + 1
            self._cores[share.place] = self._cores.get(share.place, 0.0) + share.cores
        self._creates = {
            region: free_now(book.creates.get(region, ()), rates, now)
            for region in {one.region for one in places.values()}
        }
        self._everywhere = free_now(book.creates.get(ALL, ()), EVERYWHERE if rates else (), now)
        self._kept: set[str] = set()
        """Places that somebody ahead waits for."""

    def take(self, names: Sequence[str], cores: float) -> str | None:
        """Take a share in the first place that has room; None, and keep all of them, when none has."""
        for name in names:
            if name in self._places and self.obstacle(name, cores) is None:
                region = self._region(name)
                self._groups[region] = self._groups.get(region, 0) + 1
                self._cores[name] = self._cores.get(name, 0.0) + cores
                free = self._creates[region]
                self._creates[region] = None if free is None else free - 1
                self._everywhere = None if self._everywhere is None else self._everywhere - 1
                return name
        self._kept.update(names)
        return None

    def closed(self, names: Sequence[str], cores: float) -> bool:
        """Say whether no place is left for a job, so that who else is ahead makes no difference."""
        return all(self.obstacle(name, cores) is not None for name in names)

    def obstacle(self, name: str, cores: float) -> str | None:
        """Return what stands in the way in a place: `quota`, `rate`, `capacity` or `line`; None: nothing."""
        quota, region = self._quotas.get(name, Quota()), self._region(name)
        bar = self._book.bars.get(name)
        if bar is not None and bar.until > self._now and cores >= bar.cores:
            return "capacity"
        if quota.groups_max is not None and quota.groups_used + self._groups.get(region, 0) + 1 > quota.groups_max:
            return "quota"
        if quota.cores_max is not None and quota.cores_used + self._cores.get(name, 0.0) + cores > quota.cores_max:
            return "quota"
        free = self._creates.get(region)
        if (free is not None and free < 1) or (self._everywhere is not None and self._everywhere < 1):
            return "rate"
        return "line" if name in self._kept else None

    def too_small(self, name: str, cores: float) -> bool:
        """Say whether the quota of a place is too small for a job even when nothing else runs."""
        quota = self._quotas.get(name, Quota())
        return (quota.cores_max is not None and cores > quota.cores_max) or quota.groups_max == 0

    def limit_of(self, name: str) -> str:
        """Say how much of a place is in use."""
        quota, region = self._quotas.get(name, Quota()), self._region(name)
        groups, cores = self._in_use(name)
        if quota.cores_max is not None and quota.cores_used + cores + 1 > quota.cores_max:
            return f"{quota.cores_used + cores:g} of {quota.cores_max:g} cores are in use in {name}"
        used = quota.groups_used + groups
        return f"{used} of {quota.groups_max} container groups are in use in {region}"

    def bar_until(self, name: str) -> float:
        bar = self._book.bars.get(name)
        return bar.until if bar is not None else self._now

    def next_create(self, name: str, ahead: int) -> float:
        here = nth_time(self._book.creates.get(self._region(name), ()), self._rates, self._now, ahead)
        everywhere = EVERYWHERE if self._rates else ()
        return max(here, nth_time(self._book.creates.get(ALL, ()), everywhere, self._now, ahead))

    def rate_in_use(self, name: str) -> str:
        region = self._region(name)
        times = self._book.creates.get(region, ())
        counts = [
            f"{sum(at > self._now - rate.window_s for at in times)} of {rate.most} creates in"
            f" {rate.window_s // 60:.0f} min"
            for rate in self._rates
            if sum(at > self._now - rate.window_s for at in times) >= rate.most
        ]
        return f"{', '.join(counts) or 'the creates that others ahead need'} are used up in {region}"

    def _in_use(self, name: str) -> tuple[int, float]:
        region = self._region(name)
        shares = self._book.shares.values()
        return (
            sum(self._region(share.place) == region for share in shares),
            sum(share.cores for share in shares if share.place == name),
        )

    def _region(self, name: str) -> str:
        return self._regions.get(name) or Place(name=name).region


def _wait(room: _Room, turn: QueueEntry, ahead: int, pacing: Pacing, now: float) -> Placement:
    """Say what the job waits for and when to ask again: by the place where that is soonest."""
    waits: list[tuple[float, str]] = []
    for name in turn.places:
        obstacle = room.obstacle(name, turn.cores)
        in_line = now + pacing.patience_s + ahead * pacing.step_s
        if obstacle == "capacity":
            waits.append((room.bar_until(name), f"{name} had no capacity"))
        elif obstacle == "rate":
            at = room.next_create(name, ahead // len(turn.places))
            waits.append((max(at, now + 1.0), room.rate_in_use(name)))
        elif obstacle == "quota":
            waits.append((max(in_line, room.next_create(name, 0)), room.limit_of(name)))
        else:
            waits.append((in_line, room.limit_of(name)))
    until, reason = min(waits)
    until = min(until, now + pacing.longest_s)
    return Placement(place=None, reason=f"{reason}; number {ahead + 1} in line", until=until)


def _refusals(job: Job, fitting: Sequence[str]) -> tuple[set[str], int, float]:
    """Return who refused it for want of capacity in this round, how many rounds are over, and when the last did."""
    refused: set[str] = set()
    rounds, last = 0, 0.0
    trail = []
    for attempt in reversed(job.attempts):
        if attempt.refusal != "relocate":
            break
        trail.append(attempt)
    for attempt in reversed(trail):
        refused.add(attempt.place)
        last = attempt.ended_at.timestamp() if attempt.ended_at is not None else last
        if refused >= set(fitting):
            refused, rounds = set(), rounds + 1
    return refused, rounds, last


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"
