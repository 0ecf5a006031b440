"""A data folder, or a database of Cosmos DB, opened by the current code and read as plain JSON.

The names of the current code are used here and nowhere else in this folder. Jobs are read through the HTTP API; stats
and the ledger, which the API does not show, have a separate form here.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, cast

from mayfly import composition
from mayfly.admission.cosmos import CosmosLedger
from mayfly.admission.ledger import Ledger
from mayfly.admission.sqlite import SqliteLedger
from mayfly.app import Mayfly
from mayfly.cosmos.account import CosmosAccount
from mayfly.intake.cosmos import CosmosIntakeRecord
from mayfly.jobs.events import from_document
from mayfly.jobs.evolve import evolve
from mayfly.jobs.job import to_document
from mayfly.log.cosmos.event_log import CosmosEventLog
from mayfly.log.sqlite.stats import SqliteLogStats
from mayfly.log.stats import LogStats
from mayfly.settings import read_settings
from mayfly.views.cosmos.job_views import CosmosJobViews
from mayfly.views.cosmos.stats import CosmosJobStats
from mayfly.views.projection import rebuild
from mayfly.views.sqlite.stats import SqliteJobStats
from mayfly.views.stats import JobStats, Span
from tests.mayfly.composed import REPORT_KEY, Composed
from tests.triggers.function_host import Answer, DurableHost, FunctionHost

Json = dict[str, Any]


class Closable(Protocol):
    async def close(self) -> None: ...


@dataclass(kw_only=True)
class At:
    """A clock that is stopped at one moment."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass(frozen=True, kw_only=True)
class Opened:
    """Stores of the current code, and the HTTP API over them."""

    runner: asyncio.Runner
    mayfly: Mayfly
    figures: JobStats
    ledger: Ledger
    gauge: LogStats | None
    durable: DurableHost

    def get(self, path: str, **query: str) -> Json:
        """Return the JSON of a GET request to the API."""
        answer = self.call("GET", path, params=query)
        assert answer.status == 200, (path, query, answer.text)
        found: Json = answer.json
        return found

    def call(self, method: str, path: str, **request: Any) -> Answer:
        """Send a request to the API's functions."""
        return FunctionHost(cast("Composed", self), self.durable).call(method, path, **request)

    def job(self, job_id: str) -> Json:
        """Return a job, folded from its stream."""
        return self.get(f"jobs/{job_id}")

    def events(self, job_id: str) -> list[Json]:
        events: list[Json] = self.get(f"jobs/{job_id}/events")["events"]
        return events

    def viewed(self) -> list[Json]:
        """Return every job in the order of the list, as the views have it."""
        return self.pages(archived="true")

    def pages(self, *, cursor: str | None = None, **query: str) -> list[Json]:
        """Return a whole list, page by page."""
        jobs: list[Json] = []
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = self.get("jobs", **query, **more)
            jobs += page["jobs"]
            cursor = page["cursor"]
            if cursor is None:
                return jobs

    def complete(self) -> bool:
        """Say whether the views are complete, so that no rebuild is needed."""
        return self.runner.run(self.mayfly.views.complete())

    def rebuild(self) -> int:
        """Rebuild the views from the log; return how many events were read."""
        return self.runner.run(rebuild(log=self.mayfly.log, views=self.mayfly.views))

    def figures_json(self) -> Json:
        """Return the stats that are stored with the views."""
        return self.runner.run(_figures(self.mayfly, self.figures))

    def log_json(self) -> Json:
        """Return the log's stats: its size, and its last events."""
        assert self.gauge is not None
        size, last = self.runner.run(self.gauge.size()), self.runner.run(self.gauge.last(5))
        return {"events": size.events, "last": [[one.job_id, one.position, one.at.isoformat()] for one in last]}

    def ledger_json(self) -> Json:
        """Return the ledger of places: `admitted` by job, the `queue`, and the times of creates and deletes."""
        state, _ = self.runner.run(self.ledger.read())
        assert state is not None
        return {
            "admitted": {job_id: [one.place, one.cores, one.at] for job_id, one in state.reservations.items()},
            "queue": {
                job_id: [entry.priority, entry.submitted_at, entry.cores, list(entry.places), entry.until]
                for job_id, entry in state.queue.items()
            },
            "creates": {region: list(times) for region, times in state.creates.items()},
            "deletes": {region: list(times) for region, times in state.deletes.items()},
            "barred": {place: [one.until, one.cores] for place, one in state.cooldowns.items()},
        }


@contextmanager
def opened_folder(data: Path, *, at: datetime | None = None) -> Iterator[Opened]:
    """Open a data folder with the current code; `at` is the time that its clock shows."""
    mayfly = composition.compose(read_settings({"MAYFLY_DATA": str(data), "MAYFLY_REPORT_KEY": REPORT_KEY.decode()}))
    figures, ledger = SqliteJobStats(data / "views.db"), SqliteLedger(data / "ledger.db")
    gauge = SqliteLogStats(data / "log.db")
    with _opened(mayfly, figures, ledger, gauge, at) as opened:
        yield opened


@contextmanager
def opened_cosmos(account: CosmosAccount, folder: Path) -> Iterator[Opened]:
    """Open a database of Cosmos DB with the current code; `folder` is for what it keeps on disk."""
    local = composition.compose(read_settings({"MAYFLY_DATA": str(folder), "MAYFLY_REPORT_KEY": REPORT_KEY.decode()}))
    stores: Sequence[Closable] = (local.log, local.views, local.intake)
    log, views, intake = CosmosEventLog(account), CosmosJobViews(account), CosmosIntakeRecord(account)
    mayfly = dataclasses.replace(local, log=log, views=views, intake=intake, resources=(*local.resources, *stores))
    with _opened(mayfly, CosmosJobStats(account), CosmosLedger(account), None, None) as opened:
        yield opened


def folded(events: Sequence[Json]) -> list[Json]:
    """Return the job after each event of a stream, as the current code folds the documents."""
    job, found = None, []
    for event in events:
        job = evolve(job, from_document(event))
        found.append(to_document(job))
    return found


@contextmanager
def _opened(
    mayfly: Mayfly, figures: JobStats, ledger: Ledger, gauge: LogStats | None, at: datetime | None
) -> Iterator[Opened]:
    if at is not None:
        mayfly = dataclasses.replace(mayfly, clock=At(moment=at))
    composition.use(mayfly)
    with asyncio.Runner() as runner:
        try:
            yield Opened(
                runner=runner, mayfly=mayfly, figures=figures, ledger=ledger, gauge=gauge, durable=DurableHost()
            )
        finally:
            composition.use(None)
            one: Closable | None
            for one in (mayfly, figures, cast("Closable", ledger), gauge):
                if one is not None:
                    runner.run(one.close())


async def load_items(account: CosmosAccount, items: Mapping[str, Sequence[Json]]) -> None:
    """Write items to Cosmos DB as they are, by container."""
    account.join()
    for name, found in items.items():
        container = await account.container(name)
        await asyncio.gather(*(container.create_item(item) for item in found))


async def read_items(account: CosmosAccount, names: Sequence[str]) -> dict[str, list[Json]]:
    """Return the items of Cosmos DB as they are, by container."""
    found = {}
    for name in names:
        container = await account.container(name)
        found[name] = [item async for item in container.read_all_items()]
    return found


async def _figures(mayfly: Mayfly, figures: JobStats) -> Json:
    buckets: dict[str, Any] = {}
    spans: tuple[Span, ...] = ("minute", "hour", "day")
    for span in spans:
        found = await figures.submitted(span, archived=True)
        buckets[span] = [[one.begun_at.isoformat(), one.state, one.jobs] for one in found]
    shown = await figures.submitted("day")
    attempts = sorted(
        [one.ended_at.isoformat(), one.outcome, _rounded(one.seconds)] for one in await figures.attempts(limit=1_000)
    )
    held, lingering = await figures.attention("held"), await figures.attention("lingering")
    return {
        "submitted": buckets,
        "shown": [[one.begun_at.isoformat(), one.state, one.jobs] for one in shown],
        "held": [held[0], list(held[1])],
        "lingering": [lingering[0], list(lingering[1])],
        "attempts": attempts,
        "states": dict(await mayfly.views.count_by_state()),
        "unsettled": list(await mayfly.views.unsettled()),
        "projected": await figures.projected(),
    }


def _rounded(seconds: Mapping[Any, float]) -> dict[str, float]:
    return {str(name): round(length, 3) for name, length in seconds.items()}
