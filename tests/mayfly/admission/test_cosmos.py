"""`CosmosLedger` with the real SDK: the contract, a lost answer, its size, and two apps that share it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mayfly.admission.admission import Admission, Admitted, Held
from mayfly.admission.cosmos import CosmosLedger
from mayfly.admission.ledger import Ledger, LedgerState, QueueEntry, Reservation, to_document
from mayfly.admission.placement import QUEUE_MAX, place
from mayfly.app import Mayfly
from mayfly.composition import compose
from mayfly.errors import TryAgain
from mayfly.jobs.places import Quota, parse_places
from mayfly.settings import read_settings
from tests.contracts.admission import AdmissionContract
from tests.contracts.job_views import job
from tests.contracts.ledger import STATE, LedgerContract
from tests.cosmos_server.server import KEY, CosmosServer, running
from tests.fake_arm.arm import FakeArm
from tests.fake_arm.backing import TimedBacking
from tests.fake_arm.limits import Limits
from tests.fake_arm.server import serving
from tests.mayfly.admission.test_placement_admission import HOLDS, placed
from tests.mayfly.jobs.samples import T0, job_id_numbered


class TestCosmos(LedgerContract):
    @pytest.fixture(autouse=True)
    def _server(self, cosmos_server: CosmosServer, runner: asyncio.Runner) -> Iterator[None]:
        self._cosmos = cosmos_server
        self._opened: list[CosmosLedger] = []
        cosmos_server.opened += 1
        yield
        for ledger in self._opened:
            runner.run(ledger.close())

    def open(self) -> Ledger:
        self._opened.append(CosmosLedger(self._cosmos.account(f"test{self._cosmos.opened}")))
        return self._opened[-1]


def test_a_write_whose_answer_was_lost_is_found_by_the_next_read(cosmos_server: CosmosServer) -> None:
    async def go() -> None:
        ledger = CosmosLedger(cosmos_server.account())
        await ledger.write(LedgerState(), expected="")
        _, version = await ledger.read()
        cosmos_server.meet({"verb": "PUT", "path": "/colls/ledger/docs", "do": "lose_answer", "times": 1})
        assert not await ledger.write(STATE, expected=version)
        assert cosmos_server.faults_left() == 0
        assert (await ledger.read())[0] == STATE
        await ledger.close()

    asyncio.run(go())


def test_a_job_whose_admission_lost_its_answer_takes_one_share_and_counts_once(
    cosmos_server: CosmosServer,
) -> None:
    async def go() -> None:
        ledger = CosmosLedger(cosmos_server.account())
        admission = placed("swedencentral", ledger=ledger)
        assert isinstance(await admission.admit(job(1), now=T0), Admitted)
        cosmos_server.meet({"verb": "PUT", "path": "/colls/ledger/docs", "do": "lose_answer", "times": 1})
        assert isinstance(await admission.admit(job(2), now=T0), Admitted)
        assert cosmos_server.faults_left() == 0
        state, _ = await ledger.read()
        assert state is not None
        assert set(state.reservations) == {job_id_numbered(1), job_id_numbered(2)}
        assert len(state.creates["swedencentral"]) == 2
        await ledger.close()

    asyncio.run(go())


def test_a_ledger_that_does_not_answer_says_try_again(cosmos_server: CosmosServer) -> None:
    async def go() -> None:
        ledger = CosmosLedger(cosmos_server.account())
        await ledger.read()
        cosmos_server.meet({"verb": "GET", "path": "/colls/ledger/docs", "do": "refuse", "status": 403, "times": 9})
        with pytest.raises(TryAgain, match="data role"):
            await ledger.read()
        cosmos_server.meet({"verb": "POST", "path": "/colls/ledger/docs", "do": "refuse", "status": 403, "times": 9})
        with pytest.raises(TryAgain, match="could not be written"):
            await ledger.write(STATE, expected="")
        cosmos_server.meet()
        await ledger.close()

    asyncio.run(go())


def test_the_queue_is_limited_and_keeps_its_order() -> None:
    """A job that arrives when the queue is full stays outside unless it outranks a queued job."""
    names = ("swedencentral",)
    now = T0.timestamp()
    queue = {
        f"ada-{number:010d}": QueueEntry(priority=5, submitted_at=float(number), cores=1.0, places=names, until=now)
        for number in range(QUEUE_MAX)
    }
    state = LedgerState(queue=queue, reservations={"ada-bbbbbbbbbb": Reservation(place=names[0], cores=1.0, at=now)})

    def ask(job_id: str, *, priority: int, submitted_at: float) -> tuple[LedgerState, str]:
        entry = QueueEntry(priority=priority, submitted_at=submitted_at, cores=1.0, places=names, until=now)
        given = {one.name: one for one in parse_places(names[0])}
        quotas = {names[0]: Quota(groups_max=1)}
        after, answer = place(state, job_id, entry, places=given, quotas=quotas, rates=(), holds=HOLDS, now=now)
        assert isinstance(answer, Held)
        return after, answer.reason

    late, reason = ask("ada-zzzzzzzzzz", priority=5, submitted_at=9e9)
    assert list(late.queue) == list(queue)
    assert f"number {QUEUE_MAX + 1} in the queue" in reason
    early, reason = ask("ada-zzzzzzzzzz", priority=9, submitted_at=9e9)
    assert list(early.queue) == [*list(queue)[:-1], "ada-zzzzzzzzzz"]
    assert "number 1 in the queue" in reason


def test_the_largest_ledger_fits_into_one_item(cosmos_server: CosmosServer) -> None:
    """Ten regions with all creates and deletes of an hour, 2,000 containers, and a full queue."""
    regions = tuple(f"australiacentral{number}" for number in range(10))
    at = 1_800_000_000.123456
    name = "a" * 24
    entry = QueueEntry(priority=5, submitted_at=at, cores=1.25, places=regions, until=at)
    state = LedgerState(
        reservations={f"{name}-{n:010d}": Reservation(place=regions[0], cores=1.25, at=at) for n in range(2_000)},
        queue={f"{name}-{n:010d}": entry for n in range(QUEUE_MAX)},
        creates=dict.fromkeys(regions, (at,) * 300),
        deletes=dict.fromkeys(regions, (at,) * 300),
    )
    size = len(json.dumps({"id": "book", **to_document(state)}))
    print(f"the largest ledger: {size:,} bytes")
    assert size < 1_000_000

    async def go() -> None:
        ledger = CosmosLedger(cosmos_server.account())
        assert await ledger.write(state, expected="")
        assert (await ledger.read())[0] == state
        await ledger.close()

    asyncio.run(go())


class TestSharedInCosmos(AdmissionContract):
    """Admission fulfills its contract with this ledger."""

    place = "swedencentral"

    @pytest.fixture(autouse=True)
    def _server(self, cosmos_server: CosmosServer, runner: asyncio.Runner) -> Iterator[None]:
        self._cosmos = cosmos_server
        self._opened: list[Ledger] = []
        yield
        for ledger in self._opened:
            runner.run(ledger.close())

    def open(self, *, groups_max: int, present: Sequence[str] = ()) -> Admission:
        quota = Quota(groups_max=groups_max, cores_max=1_000.0)
        reservations = {job_id: Reservation(place=self.place, cores=1.0, at=T0.timestamp()) for job_id in present}
        ledger = CosmosLedger(self._cosmos.account())
        self._opened.append(ledger)
        return placed(self.place, ledger=ledger, quotas={self.place: quota}, present=reservations)


@pytest.mark.parametrize(
    ("limits", "most", "why"),
    [(Limits(groups=500, cores=500), 100, "100 of 100 creates"), (Limits(groups=30), 30, "30 of 30 container groups")],
    ids=["rate", "quota"],
)
def test_two_apps_together_never_exceed_a_places_rate_or_quota(
    tmp_path: Path, limits: Limits, most: int, why: str
) -> None:
    """Both are composed from settings, like the app; 120 jobs ask at once, some of them through both apps."""
    now = datetime.now(UTC)
    backing = TimedBacking(lambda: now, lambda _: None, lambda *_: None)  # type: ignore[arg-type,return-value]
    arm = FakeArm(clock=lambda: now, backing=backing, limits=limits)

    async def go() -> None:
        # A separate server: composed apps share one database, because no setting names it.
        with running() as server:
            await story(server)

    async def story(server: CosmosServer) -> None:
        async with serving(arm, by_itself=False) as endpoint:
            apps = [_composed(server, endpoint, tmp_path / name) for name in ("one", "two")]
            jobs = [job(number) for number in range(120)]
            asked = [(number % 2, one) for number, one in enumerate(jobs)] + [(1, one) for one in jobs[:20:2]]
            answers = await asyncio.gather(*(apps[which].admission.admit(one, now=now) for which, one in asked))
            admitted = {
                one.job_id for (_, one), answer in zip(asked, answers, strict=True) if isinstance(answer, Admitted)
            }
            held = Counter(answer.reason.split("; ")[0] for answer in answers if isinstance(answer, Held))
            assert len(admitted) == most
            assert any(why in reason for reason in held), held
            later = now + timedelta(minutes=4)
            again = await asyncio.gather(
                *(apps[0].admission.admit(one, now=later) for one in jobs if one.job_id not in admitted)
            )
            assert not any(isinstance(answer, Admitted) for answer in again)
            await apps[0].admission.release(min(admitted))
            once_more = await asyncio.gather(
                *(app.admission.admit(job(500 + n), now=later) for n, app in enumerate(apps))
            )
            # A released share makes room under a quota, but not under a rate, and other jobs are ahead.
            assert not any(isinstance(answer, Admitted) for answer in once_more)
            deletes = await asyncio.gather(
                *(apps[n % 2].admission.may_delete("swedencentral", now=now) for n in range(104))
            )
            assert deletes.count(None) == 100
            for app in apps:
                await app.close()

    asyncio.run(go())
    assert list(tmp_path.rglob("ledger.db")) == []


def _composed(server: CosmosServer, endpoint: str, data: Path) -> Mayfly:
    return compose(
        read_settings(
            {
                "MAYFLY_DATA": str(data),
                "MAYFLY_STORE": "cosmos",
                "MAYFLY_COSMOS_ENDPOINT": server.endpoint,
                "MAYFLY_COSMOS_KEY": KEY,
                "MAYFLY_RUNTIME": "aci",
                "MAYFLY_ARM_ENDPOINT": endpoint,
                "MAYFLY_SUBSCRIPTION": "s",
                "MAYFLY_RESOURCE_GROUP": "rg",
                "MAYFLY_PLACES": "swedencentral",
                "MAYFLY_WORKER_IMAGE": "worker:1",
            }
        )
    )
