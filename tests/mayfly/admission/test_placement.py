"""The placement policy, as a pure function: order, claims, expiry, and the size of the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from mayfly.admission import placement
from mayfly.admission.admission import Admitted, Held
from mayfly.admission.ledger import Cooldown, LedgerState, QueueEntry, Reservation
from mayfly.admission.placement import HoldPolicy, place, queue_entry, with_cooldown, with_request, without
from mayfly.admission.rates import DOCUMENTED
from mayfly.jobs.job import Attempt, Job
from mayfly.jobs.places import Place, Quota
from mayfly.jobs.spec import JobSpec
from tests.contracts.job_views import job
from tests.mayfly.jobs.samples import T0

NOW = T0.timestamp()
HOLDS = HoldPolicy(front_hold_s=15.0, step_s=3.0, hold_max_s=900.0)
PLACES = (Place(name="north"), Place(name="south"))


def _entry(*, age_s: float = 0, priority: int = 5, cores: float = 1.0, until: float = NOW) -> QueueEntry:
    return QueueEntry(priority=priority, submitted_at=NOW - age_s, cores=cores, places=("north", "south"), until=until)


def _place(
    state: LedgerState, job_id: str, entry: QueueEntry, *, groups_max: int = 1, cores_max: float | None = None
) -> tuple[LedgerState, Admitted | Held]:
    quota = Quota(groups_max=groups_max, cores_max=cores_max)
    return place(
        state,
        job_id,
        entry,
        places={one.name: one for one in PLACES},
        quotas={one.name: quota for one in PLACES},
        rates=(),
        holds=HOLDS,
        now=NOW,
    )


def _full() -> LedgerState:
    reserved = Reservation(place="north", cores=1.0, at=NOW)
    return LedgerState(reservations={"a": reserved, "b": reserved._replace(place="south")})


def _refused(*places: str, requested: Job | None = None) -> Job:
    attempts = tuple(
        Attempt(
            number=number, group=f"g{number}", place=name, requested_at=T0, start_deadline=T0,
            outcome="refused", refusal="relocate", container="gone", ended_at=T0,
        )
        for number, name in enumerate(places, 1)
    )  # fmt: skip
    return replace(requested or job(1), attempts=attempts)


def test_a_job_reserves_the_first_place_with_room_and_leaves_the_queue() -> None:
    state = LedgerState(reservations={"a": _full().reservations["a"]}, queue={"c": _entry()})
    state, decision = _place(state, "c", _entry())
    assert decision == Admitted(place="south")
    assert state.reservations["c"] == Reservation(place="south", cores=1.0, at=NOW)
    assert "c" not in state.queue


def test_a_held_job_keeps_its_number_however_often_it_asks() -> None:
    state = _full()
    for job_id in ("c", "d", "c", "d"):
        state, decision = _place(state, job_id, _entry())
        number = 1 if job_id == "c" else 2
        assert isinstance(decision, Held)
        assert decision.reason.endswith(f"number {number} in the queue")
        assert decision.until.timestamp() == NOW + HOLDS.front_hold_s + (number - 1) * HOLDS.step_s
    assert list(state.queue) == ["c", "d"]


@pytest.mark.parametrize(
    ("waiting", "arriving"),
    [({"priority": 5}, {"priority": 9}), ({"age_s": 10}, {"age_s": 20})],
    ids=["a higher priority", "an earlier submission"],
)
def test_a_job_that_outranks_another_goes_first(waiting: dict[str, int], arriving: dict[str, int]) -> None:
    state, _ = _place(_full(), "c", _entry(**waiting))
    state, decision = _place(state, "d", _entry(**arriving))
    assert isinstance(decision, Held)
    assert decision.reason.endswith("number 1 in the queue")
    state = without(state, {"a"})
    assert isinstance(_place(state, "c", _entry(**waiting))[1], Held)
    assert _place(state, "d", _entry(**arriving))[1] == Admitted(place="north")


def test_a_small_job_does_not_overtake_a_large_one_that_waits() -> None:
    reserved = Reservation(place="north", cores=6.0, at=NOW)
    state = LedgerState(reservations={"a": reserved, "b": reserved._replace(place="south")})
    state, large = _place(state, "large", _entry(age_s=60, cores=8.0), groups_max=9, cores_max=10.0)
    assert isinstance(large, Held)
    state, small = _place(state, "small", _entry(cores=1.0), groups_max=9, cores_max=10.0)
    assert isinstance(small, Held)
    without_large = without(state, {"large"})
    assert _place(without_large, "small", _entry(cores=1.0), groups_max=9, cores_max=10.0)[1] == Admitted(place="north")


def test_a_job_that_no_longer_asks_loses_its_turn() -> None:
    expired = _entry(age_s=600, until=NOW - 10 * HOLDS.front_hold_s - 1)
    late = expired._replace(until=NOW - 10 * HOLDS.front_hold_s + 1)
    state = LedgerState(reservations={"a": _full().reservations["a"]}, queue={"c": expired})
    assert _place(state, "d", _entry())[1] == Admitted(place="south")
    assert isinstance(_place(replace(state, queue={"c": late}), "d", _entry())[1], Held)


def test_a_job_that_no_quota_can_hold_is_not_queued() -> None:
    state, decision = _place(LedgerState(), "c", _entry(cores=16.0), groups_max=9, cores_max=10.0)
    assert isinstance(decision, Held)
    assert "the job needs 16 cores" in decision.reason
    assert state.queue == {}


def test_a_full_queue_drops_expired_jobs_and_then_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "QUEUE_MAX", 2)
    queue = {"gone": _entry(age_s=900, until=0.0), "low": _entry(age_s=60, priority=1), "old": _entry(age_s=30)}
    state, _ = _place(replace(_full(), queue=queue), "new", _entry())
    assert list(state.queue) == ["old", "new"]


def test_jobs_that_are_not_in_the_ledger_leave_it_unchanged() -> None:
    state = _full()
    assert without(state, {"x"}) is state
    assert list(without(state, {"a", "x"}).reservations) == ["b"]


def test_a_request_counts_in_its_region_and_everywhere() -> None:
    times = with_request({"south": (NOW - 1,)}, "north", DOCUMENTED, NOW)
    times = with_request(times, "south", DOCUMENTED, NOW + 1)
    assert times == {"north": (NOW,), "south": (NOW - 1, NOW + 1), placement.ALL: (NOW, NOW + 1)}


@pytest.mark.parametrize(
    ("refusals", "places"),
    [
        ([], ("north", "south")),
        (["north"], ("south",)),
        (["north", "south"], ("north", "south")),
        (["north", "south", "south"], ("north",)),
    ],
)
def test_a_place_without_capacity_is_tried_again_after_all_others(
    refusals: Sequence[str], places: tuple[str, ...]
) -> None:
    entry, _ = queue_entry(_refused(*refusals), PLACES, now=NOW + 10_000)
    assert entry.places == places


def test_a_job_that_fits_nowhere_gets_the_largest_place_named() -> None:
    small = (Place(name="north", cpu_max=2, memory_gb_max=8), Place(name="south", cpu_max=4, memory_gb_max=16))
    _, decision = queue_entry(replace(job(1), spec=JobSpec(message="hi", cpu=8)), small, now=NOW)
    assert decision is not None
    assert decision.reason == "no place allows 8 cores and 1.5 GB; south allows 4 and 16"


def test_a_cooldown_keeps_its_smallest_size_and_its_latest_end() -> None:
    def refused(cpu: float, *, after_s: float) -> Job:
        found = _refused("north", requested=replace(job(1), spec=JobSpec(message="hi", cpu=cpu)))
        (attempt,) = found.attempts
        return replace(found, attempts=(replace(attempt, ended_at=T0 + timedelta(seconds=after_s)),))

    state = LedgerState()
    for cpu, after_s, cores, until_s in ((8, 0, 8, 60), (2, 10, 2, 70), (8, 20, 2, 80), (1, 5, 2, 80)):
        state = with_cooldown(state, refused(cpu, after_s=after_s), now=NOW + 20)
        assert state.cooldowns == {"north": Cooldown(until=NOW + until_s, cores=cores)}
    assert with_cooldown(LedgerState(), refused(1, after_s=0), now=NOW + placement.COOLDOWN_S) == LedgerState()
