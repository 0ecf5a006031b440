"""Placement policy: a pure function of the ledger, the places and a job.

Jobs are served first come, first served within a priority. Jobs ahead in the queue take their share first, on paper. A
job that finds no room claims every place where it may run, so that smaller jobs cannot overtake it forever. A job that
no place can ever run does not enter the queue.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import takewhile
from typing import Literal

from mayfly.admission.admission import Admitted, Held
from mayfly.admission.ledger import Cooldown, LedgerState, QueueEntry, Reservation
from mayfly.admission.rates import EVERYWHERE, Rate, free_now, nth_time, pruned
from mayfly.jobs.job import Job
from mayfly.jobs.places import Place, Quota, cores_of, region_of

ALL = "*"
"""The key under which the ledger counts requests to all regions together."""
QUEUE_MAX = 2_000
"""Jobs in the queue. Jobs beyond it retry: an item of Cosmos DB can hold 2 MB, and its size determines its cost."""
COOLDOWN_S = 60.0
"""How long a place that had no capacity is not requested."""
_ROUND_S = 60.0
"""Hold of a job that every place has refused; it doubles with each further round."""
_ROUND_S_MAX = 900.0

Obstacle = Literal["quota", "rate", "capacity", "queue"]
"""The reason that a place cannot take a job now.

`capacity`: the place is in its cooldown. `queue`: a job ahead claims the place.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldPolicy:
    """How long held jobs wait before they request admission again. Units: seconds."""

    front_hold_s: float
    """Hold of the first job in the queue, if the time of the next free share is unknown."""
    step_s: float
    """Added for each job ahead."""
    hold_max_s: float
    """The longest hold, even if a rate limit lasts longer: jobs ahead may leave the queue."""


def queue_entry(job: Job, places: Sequence[Place], *, now: float) -> tuple[QueueEntry, Held | None]:
    """Return the job's queue entry, and a hold if none of the places will do for now.

    A place that refused the job for lack of capacity is not tried again before every other place has been.
    """
    cores = cores_of(job.spec.cpu)
    fitting = [place.name for place in places if place.holds(cpu=job.spec.cpu, memory_gb=job.spec.memory_gb)]
    refused, rounds, refused_at = _refusals(job, fitting)
    entry = QueueEntry(
        priority=job.spec.priority,
        submitted_at=job.submitted_at.timestamp(),
        cores=cores,
        places=tuple(name for name in fitting if name not in refused),
        until=now,
    )
    if not fitting:
        largest = max(places, key=lambda place: (place.cpu_max, place.memory_gb_max))
        reason = (
            f"no place allows {job.spec.cpu:g} cores and {job.spec.memory_gb:g} GB;"
            f" {largest.name} allows {largest.cpu_max:g} and {largest.memory_gb_max:g}"
        )
        return entry, _held(reason, now + _ROUND_S_MAX)
    if rounds and not refused:
        retry_at = refused_at + min(_ROUND_S * 2 ** (rounds - 1), _ROUND_S_MAX)
        if retry_at > now:
            clock = f"{datetime.fromtimestamp(retry_at, UTC):%H:%M:%S} UTC"
            reason = f"no capacity in {', '.join(fitting)}; next try at {clock}"
            return entry, _held(reason, retry_at)
    return entry, None


def place(
    state: LedgerState,
    job_id: str,
    entry: QueueEntry,
    *,
    places: Mapping[str, Place],
    quotas: Mapping[str, Quota],
    rates: Sequence[Rate],
    holds: HoldPolicy,
    now: float,
) -> tuple[LedgerState, Admitted | Held]:
    """Reserve a share for the job or put it into the queue; return the new ledger and the decision.

    Shapes: `quotas`: by place; their `_used` fields count only the use by others than Mayfly.
    """
    expired_before = now - 10 * holds.front_hold_s
    ahead = _ahead(state, job_id, entry, expired_before=expired_before)
    capacity = _Capacity(state, places, quotas, rates, now)
    if all(capacity.too_small(name, entry.cores) for name in entry.places):
        reason = f"{capacity.usage(entry.places[0])}, and the job needs {entry.cores:g} cores"
        return without(state, {job_id}), _held(reason, now + _ROUND_S_MAX)
    heap = [*ahead]
    heapq.heapify(heap)
    while heap and not capacity.exhausted(entry.places, entry.cores):
        other = state.queue[heapq.heappop(heap)[-1]]
        capacity.reserve(other.places, other.cores)
    found = capacity.reserve(entry.places, entry.cores)
    if found is not None:
        reservations = {**state.reservations, job_id: Reservation(place=found, cores=entry.cores, at=now)}
        creates = with_request(state.creates, places[found].region, rates, now) if rates else state.creates
        cooldowns = {name: one for name, one in state.cooldowns.items() if one.until > now}
        state = replace(without(state, {job_id}), reservations=reservations, creates=creates, cooldowns=cooldowns)
        return state, Admitted(place=found)
    until, reason = _hold(capacity, entry, len(ahead), holds, now)
    queue = {**state.queue, job_id: entry._replace(until=until)}
    return replace(state, queue=_shortened(queue, expired_before=expired_before)), _held(reason, until)


def without(state: LedgerState, jobs: Collection[str]) -> LedgerState:
    """Return the ledger without the reservations and queue entries of these jobs."""
    if not any(job_id in state.reservations or job_id in state.queue for job_id in jobs):
        return state
    reservations, queue = dict(state.reservations), dict(state.queue)
    for job_id in jobs:
        reservations.pop(job_id, None)
        queue.pop(job_id, None)
    return replace(state, reservations=reservations, queue=queue)


def _ahead(
    state: LedgerState, job_id: str, entry: QueueEntry, *, expired_before: float
) -> list[tuple[int, float, int, str]]:
    """Return the jobs ahead: of a higher priority, or older, or of the same age and with an earlier first request.

    A job that should have returned before `expired_before` has lost its entry.
    """
    first_request = next((index for index, other in enumerate(state.queue) if other == job_id), len(state.queue))
    own = (-entry.priority, entry.submitted_at, first_request)
    return [
        (-one.priority, one.submitted_at, index, other)
        for index, (other, one) in enumerate(state.queue.items())
        if one.until >= expired_before and (-one.priority, one.submitted_at, index) < own
    ]


def _shortened(queue: Mapping[str, QueueEntry], *, expired_before: float) -> Mapping[str, QueueEntry]:
    """Return a queue of at most `QUEUE_MAX`: drop expired entries first, then those at the end."""
    if len(queue) <= QUEUE_MAX:
        return queue
    active = {job_id: entry for job_id, entry in queue.items() if entry.until >= expired_before}
    first = sorted(active, key=lambda job_id: (-active[job_id].priority, active[job_id].submitted_at))[:QUEUE_MAX]
    remaining = set(first)
    return {job_id: entry for job_id, entry in active.items() if job_id in remaining}


def with_request(
    times: Mapping[str, tuple[float, ...]], region: str, rates: Sequence[Rate], now: float
) -> dict[str, tuple[float, ...]]:
    """Return the request times with one more, both in its region and in all regions together."""
    here, everywhere = pruned(times.get(region, ()), rates, now), pruned(times.get(ALL, ()), EVERYWHERE, now)
    return {**times, region: (*here, now), ALL: (*everywhere, now)}


def with_cooldown(state: LedgerState, job: Job, *, now: float) -> LedgerState:
    """Return the ledger with a cooldown for the place that last refused the job for lack of capacity, if any."""
    attempt = job.attempt
    if attempt is None or attempt.refusal != "relocate" or attempt.ended_at is None:
        return state
    until = attempt.ended_at.timestamp() + COOLDOWN_S
    known = state.cooldowns.get(attempt.place)
    if until <= now or (known is not None and known.until >= until):
        return state
    cores = cores_of(job.spec.cpu)
    if known is not None and known.until > now:
        cores = min(cores, known.cores)
    return replace(state, cooldowns={**state.cooldowns, attempt.place: Cooldown(until=until, cores=cores)})


class _Capacity:
    """The capacity left in each place while queued jobs reserve their shares on paper."""

    def __init__(
        self,
        state: LedgerState,
        places: Mapping[str, Place],
        quotas: Mapping[str, Quota],
        rates: Sequence[Rate],
        now: float,
    ) -> None:
        self._state, self._places, self._quotas, self._rates, self._now = state, places, quotas, rates, now
        self._groups = Counter(region_of(one.place) for one in state.reservations.values())
        self._cores: dict[str, float] = defaultdict(float)
        for one in state.reservations.values():
            self._cores[one.place] += one.cores
        regions = {region_of(name) for name in places}
        self._creates = {region: free_now(state.creates.get(region, ()), rates, now) for region in regions}
        self._everywhere = free_now(state.creates.get(ALL, ()), EVERYWHERE if rates else (), now)
        self._claimed: set[str] = set()
        """Places that a job ahead waits for."""

    def reserve(self, names: Sequence[str], cores: float) -> str | None:
        """Reserve a share in the first place that has room; None: none has, and all of them are claimed."""
        for name in names:
            if name in self._places and self.obstacle(name, cores) is None:
                region = region_of(name)
                self._groups[region] += 1
                self._cores[name] += cores
                free = self._creates[region]
                self._creates[region] = None if free is None else free - 1
                self._everywhere = None if self._everywhere is None else self._everywhere - 1
                return name
        self._claimed.update(names)
        return None

    def exhausted(self, names: Sequence[str], cores: float) -> bool:
        """Say whether no place has room for a job, so that further jobs ahead make no difference."""
        return all(self.obstacle(name, cores) is not None for name in names)

    def obstacle(self, name: str, cores: float) -> Obstacle | None:
        """Return why a place cannot take a job now; None: it can."""
        quota, region = self._quotas.get(name, Quota()), region_of(name)
        cooldown = self._state.cooldowns.get(name)
        if cooldown is not None and cooldown.until > self._now and cores >= cooldown.cores:
            return "capacity"
        if quota.groups_max is not None and quota.groups_used + self._groups[region] + 1 > quota.groups_max:
            return "quota"
        if quota.cores_max is not None and quota.cores_used + self._cores[name] + cores > quota.cores_max:
            return "quota"
        free = self._creates.get(region)
        if (free is not None and free < 1) or (self._everywhere is not None and self._everywhere < 1):
            return "rate"
        return "queue" if name in self._claimed else None

    def too_small(self, name: str, cores: float) -> bool:
        """Say whether the quota of a place is too small for a job even if nothing else runs."""
        quota = self._quotas.get(name, Quota())
        return (quota.cores_max is not None and cores > quota.cores_max) or quota.groups_max == 0

    def usage(self, name: str) -> str:
        """Return in words how much of a place's quota is in use."""
        quota, region = self._quotas.get(name, Quota()), region_of(name)
        reservations = self._state.reservations.values()
        cores = quota.cores_used + sum(one.cores for one in reservations if one.place == name)
        if quota.cores_max is not None and cores + 1 > quota.cores_max:
            return f"{cores:g} of {quota.cores_max:g} cores are in use in {name}"
        groups = quota.groups_used + sum(region_of(one.place) == region for one in reservations)
        return f"{groups} of {quota.groups_max} container groups are in use in {region}"

    def cooldown_until(self, name: str) -> float:
        """Return when the place's cooldown ends."""
        cooldown = self._state.cooldowns.get(name)
        return cooldown.until if cooldown is not None else self._now

    def next_create(self, name: str, ahead: int) -> float:
        """Return when the rates allow a create in a place, after `ahead` others."""
        here = nth_time(self._state.creates.get(region_of(name), ()), self._rates, self._now, ahead)
        everywhere = EVERYWHERE if self._rates else ()
        return max(here, nth_time(self._state.creates.get(ALL, ()), everywhere, self._now, ahead))

    def rate_usage(self, name: str) -> str:
        """Return in words which rates of a place's region are used up."""
        region = region_of(name)
        times = self._state.creates.get(region, ())
        recent = [(rate, sum(at > self._now - rate.window_s for at in times)) for rate in self._rates]
        counts = [
            f"{count} of {rate.most} creates in {rate.window_s // 60:.0f} min"
            for rate, count in recent
            if count >= rate.most
        ]
        if not counts:
            return f"jobs ahead need the remaining creates in {region}"
        return f"{', '.join(counts)} are used up in {region}"


def _hold(capacity: _Capacity, entry: QueueEntry, ahead: int, holds: HoldPolicy, now: float) -> tuple[float, str]:
    """Return until when the job is held and why, for the place that is likely to be free first."""
    waits: list[tuple[float, str]] = []
    for name in entry.places:
        obstacle = capacity.obstacle(name, entry.cores)
        in_turn = now + holds.front_hold_s + ahead * holds.step_s
        if obstacle == "capacity":
            waits.append((capacity.cooldown_until(name), f"{name} had no capacity"))
        elif obstacle == "rate":
            at = capacity.next_create(name, ahead // len(entry.places))
            waits.append((max(at, now + 1.0), capacity.rate_usage(name)))
        elif obstacle == "quota":
            waits.append((max(in_turn, capacity.next_create(name, 0)), capacity.usage(name)))
        else:
            waits.append((in_turn, capacity.usage(name)))
    until, reason = min(waits)
    return min(until, now + holds.hold_max_s), f"{reason}; number {ahead + 1} in the queue"


def _refusals(job: Job, fitting: Sequence[str]) -> tuple[set[str], int, float]:
    """Return the places that lacked capacity in this round, the number of past rounds, and the last refusal's time."""
    refused: set[str] = set()
    rounds, last = 0, 0.0
    trail = [*takewhile(lambda attempt: attempt.refusal == "relocate", reversed(job.attempts))]
    for attempt in reversed(trail):
        refused.add(attempt.place)
        last = attempt.ended_at.timestamp() if attempt.ended_at is not None else last
        if refused >= set(fitting):
            refused, rounds = set(), rounds + 1
    return refused, rounds, last


def _held(reason: str, until: float) -> Held:
    return Held(reason=reason, until=datetime.fromtimestamp(until, UTC))
