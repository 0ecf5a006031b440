"""`PlacementAdmission` with the places, quotas and rates of Azure: the contract, and what one machine does not have."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mayfly.admission.admission import Admission, Admitted, Held
from mayfly.admission.ledger import Ledger, MemoryLedger, Reservation
from mayfly.admission.placement import Pacing
from mayfly.admission.placement_admission import PlacementAdmission
from mayfly.admission.rates import DOCUMENTED
from mayfly.admission.sqlite import SqliteLedger
from mayfly.errors import TryAgain
from mayfly.jobs.job import Attempt, Job
from mayfly.jobs.places import Quota, parse_places
from mayfly.jobs.spec import JobSpec
from tests.contracts.admission import AdmissionContract
from tests.contracts.job_views import job
from tests.mayfly.jobs.samples import T0, job_id_numbered

PACING = Pacing(patience_s=15.0, step_s=3.0, longest_s=900.0)


def placed(
    places: str = "swedencentral,westeurope",
    *,
    ledger: Ledger | None = None,
    quotas: Mapping[str, Quota] | None = None,
    present: Mapping[str, Reservation] | None = None,
) -> PlacementAdmission:
    async def look() -> Mapping[str, Reservation]:
        await asyncio.sleep(0)
        return present or {}

    async def quota(place: object) -> Quota:
        return (quotas or {}).get(getattr(place, "name", ""), Quota(groups_max=100, cores_max=100.0))

    return PlacementAdmission(
        parse_places(places),
        ledger=ledger or MemoryLedger(),
        present=look,
        quota=quota,
        rates=DOCUMENTED,
        pacing=PACING,
    )


def ask(admission: Admission, asking: Job, *, at: datetime = T0) -> Admitted | Held:
    return asyncio.run(admission.admit(asking, now=at))


def sized(number: int, *, cpu: float = 1.0, priority: int = 5, after_s: float = 0) -> Job:
    spec = JobSpec(message="hi", cpu=cpu, priority=priority)
    return replace(job(number, after_s=after_s), spec=spec)


def refused(asking: Job, *places: str, at: datetime = T0) -> Job:
    attempts = tuple(
        Attempt(
            number=number,
            group=f"g{number}",
            place=place,
            requested_at=at,
            start_deadline=at,
            outcome="refused",
            refusal="relocate",
            container="gone",
            ended_at=at,
        )
        for number, place in enumerate(places, start=1)
    )
    return replace(asking, attempts=attempts)


class TestRegions(AdmissionContract):
    """The contract holds for a region as it does for one machine."""

    place = "swedencentral"

    def open(self, *, groups_max: int, present: Sequence[str] = ()) -> Admission:
        quota = Quota(groups_max=groups_max, cores_max=1_000.0)
        shares = {job_id: Reservation(place=self.place, cores=1.0, at=T0.timestamp()) for job_id in present}
        return placed(self.place, quotas={self.place: quota}, present=shares)


class TestSharedByProcesses(AdmissionContract):
    """And with the ledger in a file, where each answer may come from another process."""

    place = "swedencentral"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> Iterator[None]:
        self.folder = tmp_path
        self.opened: list[SqliteLedger] = []
        yield
        for ledger in self.opened:
            asyncio.run(ledger.close())

    def open(self, *, groups_max: int, present: Sequence[str] = ()) -> Admission:
        quota = Quota(groups_max=groups_max, cores_max=1_000.0)
        shares = {job_id: Reservation(place=self.place, cores=1.0, at=T0.timestamp()) for job_id in present}
        self.opened.append(SqliteLedger(self.folder / "ledger.db"))
        return placed(self.place, ledger=self.opened[-1], quotas={self.place: quota}, present=shares)


def test_places_are_filled_in_their_order() -> None:
    admission = placed(quotas={"swedencentral": Quota(groups_max=2)})
    answers = [ask(admission, sized(number)) for number in range(3)]
    assert [answer.place for answer in answers if isinstance(answer, Admitted)] == [
        "swedencentral",
        "swedencentral",
        "westeurope",
    ]


def test_a_job_goes_where_it_fits() -> None:
    assert ask(placed("westeurope:spot,swedencentral"), sized(1, cpu=8)) == Admitted(place="swedencentral")


def test_a_job_that_no_place_holds_is_held_and_told_so_and_stops_nobody() -> None:
    admission = placed("swedencentral:4:16")
    held = ask(admission, sized(1, cpu=8))
    assert isinstance(held, Held)
    assert "no place holds 8 cores" in held.reason
    assert isinstance(ask(admission, sized(2)), Admitted)


def test_a_job_larger_than_the_quota_is_held_and_stops_nobody() -> None:
    admission = placed("swedencentral", quotas={"swedencentral": Quota(cores_max=10.0)})
    held = ask(admission, sized(1, cpu=16))
    assert isinstance(held, Held)
    assert "it asks for 16 cores" in held.reason
    assert isinstance(ask(admission, sized(2)), Admitted)


def test_cores_that_others_use_count() -> None:
    admission = placed("swedencentral", quotas={"swedencentral": Quota(cores_max=10.0, cores_used=8.0)})
    assert isinstance(ask(admission, sized(1, cpu=2)), Admitted)
    held = ask(admission, sized(2))
    assert isinstance(held, Held)
    assert held.reason == "10 of 10 cores are in use in swedencentral; number 1 in line"


def test_a_large_job_is_not_overtaken_for_ever() -> None:
    admission = placed("swedencentral", quotas={"swedencentral": Quota(cores_max=10.0)})
    for number in range(8):
        ask(admission, sized(number))
    assert isinstance(ask(admission, sized(20, cpu=4)), Held)
    assert isinstance(ask(admission, sized(21)), Held), "two cores are free, and are kept for who was there before"
    for number in range(2):
        asyncio.run(admission.release(job_id_numbered(number)))
    assert isinstance(ask(admission, sized(20, cpu=4)), Admitted)


def test_a_higher_priority_goes_first_and_equal_ones_by_their_age() -> None:
    admission = placed("swedencentral", quotas={"swedencentral": Quota(groups_max=1)})
    ask(admission, sized(0))
    for number, priority in ((1, 5), (2, 9), (3, 5)):
        assert isinstance(ask(admission, sized(number, priority=priority, after_s=number)), Held)
    order = []
    last = 0
    for _ in range(3):
        asyncio.run(admission.release(job_id_numbered(last)))
        for number, priority in ((3, 5), (1, 5), (2, 9)):
            if number not in order and isinstance(
                ask(admission, sized(number, priority=priority, after_s=number)), Admitted
            ):
                order.append(number)
                last = number
    assert order == [2, 1, 3]


def test_the_hundred_and_first_create_waits_for_the_window_and_says_when() -> None:
    quotas = {"swedencentral": Quota(groups_max=1_000)}
    admission = placed("swedencentral", quotas=quotas)
    for number in range(100):
        assert isinstance(ask(admission, sized(number)), Admitted)
    held = ask(admission, sized(100))
    assert isinstance(held, Held)
    assert held.reason.startswith("100 of 100 creates in 5 min are used up in swedencentral")
    assert held.until == T0 + timedelta(seconds=310)
    assert isinstance(ask(admission, sized(100), at=held.until), Admitted)


def test_no_more_than_300_creates_in_an_hour() -> None:
    admission = placed("swedencentral", quotas={"swedencentral": Quota(groups_max=1_000)})
    admitted: list[datetime] = []
    for minute in range(125):
        at = T0 + timedelta(minutes=minute)
        for number in range(len(admitted), len(admitted) + 110):
            if not isinstance(ask(admission, sized(number), at=at), Admitted):
                break
            admitted.append(at)
    assert len(admitted) == 700, "300 at once in each hour, at most 100 in 5 minutes"
    for begin in admitted:
        assert sum(begin <= at < begin + timedelta(hours=1) for at in admitted) <= 300


def test_deletes_wait_their_turn_and_each_region_has_its_own() -> None:
    admission = placed()
    for _ in range(100):
        assert asyncio.run(admission.may_delete("swedencentral", now=T0)) is None
    later = asyncio.run(admission.may_delete("swedencentral", now=T0))
    assert later == T0 + timedelta(seconds=310)
    assert asyncio.run(admission.may_delete("westeurope", now=T0)) is None
    assert asyncio.run(admission.may_delete("swedencentral", now=later)) is None


def test_a_job_that_a_place_had_no_room_for_goes_to_the_next() -> None:
    asking = refused(sized(1), "swedencentral")
    assert ask(placed(), asking) == Admitted(place="westeurope")


def test_others_leave_that_place_alone_for_a_while_unless_they_are_smaller() -> None:
    admission = placed()
    assert ask(admission, refused(sized(1, cpu=4), "swedencentral")) == Admitted(place="westeurope")
    assert ask(admission, sized(2, cpu=4)) == Admitted(place="westeurope")
    assert ask(admission, sized(3, cpu=1)) == Admitted(place="swedencentral")
    assert ask(admission, sized(4, cpu=4), at=T0 + timedelta(seconds=61)) == Admitted(place="swedencentral")


def test_a_job_that_every_place_refused_waits_longer_after_each_round() -> None:
    waits = []
    for rounds in (1, 2, 3, 10):
        held = ask(placed(), refused(sized(1), *["swedencentral", "westeurope"] * rounds))
        assert isinstance(held, Held)
        assert held.reason.startswith("no capacity in swedencentral, westeurope")
        waits.append((held.until - T0).total_seconds())
    assert waits == [60, 120, 240, 900]
    again = refused(sized(1), "swedencentral", "westeurope")
    assert ask(placed(), again, at=T0 + timedelta(seconds=60)) == Admitted(place="swedencentral")


def test_a_quota_that_cannot_be_asked_stops_nobody() -> None:
    async def none() -> Mapping[str, Reservation]:
        return {}

    async def silent(_: object) -> Quota:
        raise TryAgain("no answer")

    admission = PlacementAdmission(
        parse_places("swedencentral"),
        ledger=MemoryLedger(),
        present=none,
        quota=silent,
        rates=DOCUMENTED,
        pacing=PACING,
    )
    assert isinstance(ask(admission, sized(1)), Admitted)


def test_the_creates_of_before_a_restart_count_as_far_as_their_groups_tell() -> None:
    shares = {
        job_id_numbered(number): Reservation(place="swedencentral", cores=1.0, at=T0.timestamp())
        for number in range(100)
    }
    admission = placed("swedencentral", quotas={"swedencentral": Quota(groups_max=500)}, present=shares)
    assert isinstance(ask(admission, sized(200)), Held)


def test_a_share_that_nobody_follows_is_dropped_at_the_next_start() -> None:
    ledger, quotas = MemoryLedger(), {"swedencentral": Quota(groups_max=1)}
    assert isinstance(ask(placed("swedencentral", ledger=ledger, quotas=quotas), sized(1)), Admitted)
    soon, late = T0 + timedelta(minutes=1), T0 + timedelta(minutes=11)
    assert isinstance(ask(placed("swedencentral", ledger=ledger, quotas=quotas), sized(2), at=soon), Held)
    assert isinstance(ask(placed("swedencentral", ledger=ledger, quotas=quotas), sized(2), at=late), Admitted)
