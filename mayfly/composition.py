"""The composition root: which adapter stands behind each port, decided here and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mayfly import telemetry
from mayfly.admission.admission import Admission
from mayfly.admission.ledger import Ledger, Share
from mayfly.admission.one_place import one_place
from mayfly.admission.placed import Placed
from mayfly.admission.placing import Pacing
from mayfly.admission.rates import DOCUMENTED
from mayfly.admission.sqlite import SqliteLedger
from mayfly.clock import Clock, SystemClock
from mayfly.containers.processes import ProcessRuntime
from mayfly.containers.runtime import ContainerRuntime, RuntimeUnavailable
from mayfly.errors import TryAgain
from mayfly.intake.intake_record import IntakeRecord
from mayfly.intake.sqlite import SqliteIntakeRecord
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.jobs.places import Place, Quota, cores_of
from mayfly.jobs.steering import AZURE_PACE, LOCAL_PACE, Pace
from mayfly.log.event_log import EventLog
from mayfly.log.gauge import LogGauge
from mayfly.log.sqlite import SqliteEventLog, SqliteLogReader
from mayfly.log.sqlite_gauge import SqliteLogGauge
from mayfly.report_tokens import ReportTokens
from mayfly.secrets import EnvironmentSecrets, SecretStore
from mayfly.settings import AciSettings, Settings, StoreSettings, read_settings
from mayfly.streams import Streams
from mayfly.views.figures import Figures
from mayfly.views.job_views import JobViews
from mayfly.views.sqlite import SqliteJobViews, SqliteViewsReader
from mayfly.views.sqlite_figures import SqliteFigures

if TYPE_CHECKING:
    from mayfly.containers.aci import AciRuntime

_LOCAL = "local"


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What a place bills, in USD."""

    cpu_hour: float
    memory_gb_hour: float

    def per_hour(self, *, cpu: float, memory_gb: float) -> float:
        """Return the price of a container of that size.

        >>> Rates(cpu_hour=0.04, memory_gb_hour=0.005).per_hour(cpu=1, memory_gb=2)
        0.05
        """
        return cpu * self.cpu_hour + memory_gb * self.memory_gb_hour


_LOCAL_RATES = Rates(cpu_hour=0.0, memory_gb_hour=0.0)


class Closing(Protocol):
    """Something that holds connections open."""

    async def close(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Mayfly:
    """Everything that the use cases need."""

    clock: Clock
    log: EventLog
    views: JobViews
    runtime: ContainerRuntime
    admission: Admission
    secrets: SecretStore
    tokens: ReportTokens
    pace: Pace
    public_url: str
    """Without `/api`; what a worker reports to."""
    place: str
    """Where a job goes first."""
    rates: Rates
    intake: IntakeRecord
    """Messages that were refused."""
    held_open: tuple[Closing, ...] = ()
    """What else is to be closed, beside the stores."""

    @cached_property
    def streams(self) -> Streams:
        """The log, seen as jobs."""
        return Streams(self.log, self.clock)

    async def close(self) -> None:
        """Release what the stores hold open."""
        await _close(self.log, self.views, self.intake, *self.held_open)


@dataclass(frozen=True, kw_only=True)
class Readable:
    """What a process needs that only reads: stores opened for reading, and nothing that runs containers."""

    log: EventLog
    views: JobViews
    figures: Figures
    gauge: LogGauge
    rates: Rates
    store: str
    """What the stores are, for people."""
    runtime: ContainerRuntime | None = None

    @cached_property
    def streams(self) -> Streams:
        """The log, seen as jobs."""
        return Streams(self.log, SystemClock())

    async def close(self) -> None:
        """Release what the stores hold open."""
        await _close(self.log, self.views, self.figures, self.gauge)


async def _close(*opened: Closing) -> None:
    """Close all of them, even if one fails; then raise its error."""
    async with AsyncExitStack() as stack:
        for one in reversed(opened):
            stack.push_async_callback(one.close)


def compose_readable(settings: StoreSettings) -> Readable:
    """Put the stores together for reading alone; they need not be there yet."""
    rates = Rates(cpu_hour=settings.cpu_hour_usd, memory_gb_hour=settings.memory_gb_hour_usd)
    if settings.cosmos_endpoint is not None:
        return _readable_in_cosmos(settings.cosmos_endpoint, settings.cosmos_key, rates)
    return Readable(
        log=SqliteLogReader(settings.data / "log.db"),
        views=SqliteViewsReader(settings.data / "views.db"),
        figures=SqliteFigures(settings.data / "views.db"),
        gauge=SqliteLogGauge(settings.data / "log.db"),
        rates=rates,
        store=f"SQLite files in {settings.data.name}",
    )


def _readable_in_cosmos(endpoint: str, key: str | None, rates: Rates) -> Readable:
    from mayfly.cosmos.account import CosmosAccount
    from mayfly.log.cosmos import CosmosEventLog
    from mayfly.log.cosmos_gauge import CosmosLogGauge
    from mayfly.views.cosmos import CosmosJobViews
    from mayfly.views.cosmos_figures import CosmosFigures

    account = CosmosAccount(endpoint, key, reads_only=True)
    return Readable(
        log=CosmosEventLog(account),
        views=CosmosJobViews(account),
        figures=CosmosFigures(account),
        gauge=CosmosLogGauge(account),
        rates=rates,
        store=f"Cosmos DB at {endpoint}",
    )


def compose(settings: Settings) -> Mayfly:
    """Put the adapters together as the settings say."""
    stores = _stores(settings)
    compute = _here(settings, stores.log) if settings.aci is None else _on_azure(settings.aci, stores)
    secrets, closed_with_secrets = _secrets(settings)
    return Mayfly(
        clock=SystemClock(),
        log=stores.log,
        views=stores.views,
        runtime=compute.runtime,
        admission=compute.admission,
        secrets=secrets,
        tokens=ReportTokens(settings.report_key),
        pace=compute.pace,
        public_url=settings.public_url,
        place=compute.place,
        rates=compute.rates,
        intake=stores.intake,
        held_open=(*compute.held_open, *closed_with_secrets),
    )


@dataclass(frozen=True, kw_only=True)
class _Stores:
    """Where everything is kept."""

    log: EventLog
    views: JobViews
    intake: IntakeRecord
    ledger: Callable[[], Ledger]
    """Opens it: a single machine has none on disk."""


@dataclass(frozen=True, kw_only=True)
class _Compute:
    """What runs container groups, and what goes with it."""

    runtime: ContainerRuntime
    admission: Admission
    place: str
    pace: Pace
    rates: Rates
    held_open: tuple[Closing, ...] = ()


def _here(settings: Settings, log: EventLog) -> _Compute:
    """Run container groups as processes of this machine."""
    runtime = ProcessRuntime(settings.data / "containers", worker_command=settings.worker_command)
    present = partial(jobs_present, runtime, log)
    return _Compute(
        runtime=runtime,
        admission=one_place(_LOCAL, groups_max=settings.groups_max, jobs_present=present),
        place=_LOCAL,
        pace=LOCAL_PACE,
        rates=_LOCAL_RATES,
    )


def _on_azure(aci: AciSettings, stores: _Stores) -> _Compute:
    """Run container groups on Azure Container Instances. Its SDK takes a second to import, so only here."""
    from mayfly.containers.aci import AciOptions, AciRuntime
    from mayfly.containers.aci_metrics import AciMetrics
    from mayfly.credentials import credential

    options = AciOptions(
        subscription=aci.subscription,
        resource_group=aci.resource_group,
        worker_image=aci.worker_image,
        endpoint=aci.arm_endpoint,
        worker_identity=aci.worker_identity,
        subnet=aci.subnet,
        log_workspace=aci.log_workspace,
        log_workspace_key=aci.log_workspace_key,
    )
    plain = aci.arm_endpoint.startswith("http://")
    metrics = AciMetrics(aci.metrics_audience, credential()) if aci.metrics and not plain else None
    runtime = AciRuntime(options, credential=credential(plain=plain), metrics=metrics)
    ledger = stores.ledger()
    return _Compute(
        runtime=runtime,
        admission=admission_to(aci.places, runtime=runtime, log=stores.log, ledger=ledger),
        place=aci.places[0].name,
        pace=AZURE_PACE,
        rates=Rates(cpu_hour=aci.cpu_hour_usd, memory_gb_hour=aci.memory_gb_hour_usd),
        held_open=(runtime, ledger),
    )


def admission_to(places: Sequence[Place], *, runtime: AciRuntime, log: EventLog, ledger: Ledger) -> Placed:
    """Return the admission to regions of Azure: their live quota, and the documented rates of creates and deletes."""

    async def present() -> Mapping[str, Share]:
        listings = await runtime.list()
        jobs = await _followed(log, {listing.job_id for listing in listings})
        return {
            listing.job_id: Share(
                place=listing.place,
                cores=cores_of(jobs[listing.job_id].spec.cpu),
                at=listing.created_at.timestamp(),
            )
            for listing in listings
            if listing.job_id in jobs
        }

    async def quota(place: Place) -> Quota:
        try:
            return await runtime.quota(place)
        except RuntimeUnavailable as error:
            raise TryAgain(str(error)) from error

    regions = len({place.region for place in places})
    # Those who wait for a quota come back at the pace at which Azure lets them be created.
    pacing = Pacing(patience_s=15.0, step_s=3.0 / regions, longest_s=900.0)
    return Placed(places, ledger=ledger, present=present, quota=quota, rates=DOCUMENTED, pacing=pacing)


def _secrets(settings: Settings) -> tuple[SecretStore, tuple[Closing, ...]]:
    """Return the secret store, and what is to be closed with it."""
    if settings.key_vault is None:
        return EnvironmentSecrets(), ()
    from mayfly.credentials import credential
    from mayfly.key_vault import KeyVaultSecrets

    store = KeyVaultSecrets(settings.key_vault, credential())
    return store, (store,)


async def jobs_present(runtime: ContainerRuntime, log: EventLog) -> set[str]:
    """Return the jobs that have a group and are still followed.

    A group that nobody follows takes no place: its job would never give it back.
    """
    return {*await _followed(log, {listing.job_id for listing in await runtime.list()})}


async def _followed(log: EventLog, listed: set[str]) -> dict[str, Job]:
    jobs = [fold(await log.read(job_id)) for job_id in sorted(listed)]
    return {job.job_id: job for job in jobs if job is not None and not job.settled}


def _stores(settings: Settings) -> _Stores:
    if settings.cosmos_endpoint is None:
        return _sqlite_stores(settings.data)
    # Imported here: the SDK takes half a second to import, which a laptop without an account need not wait for.
    from mayfly.admission.cosmos import CosmosLedger
    from mayfly.cosmos.account import CosmosAccount
    from mayfly.intake.cosmos import CosmosIntakeRecord
    from mayfly.log.cosmos import CosmosEventLog
    from mayfly.views.cosmos import CosmosJobViews

    account = CosmosAccount(settings.cosmos_endpoint, settings.cosmos_key)
    return _Stores(
        log=CosmosEventLog(account),
        views=CosmosJobViews(account),
        intake=CosmosIntakeRecord(account),
        ledger=lambda: CosmosLedger(account),
    )


def _sqlite_stores(data: Path) -> _Stores:
    """Open all files or none: if one cannot be opened, every request composes again, and the others would leak."""
    with ExitStack() as opened:
        log = SqliteEventLog(data / "log.db")
        opened.callback(log.release)
        views = SqliteJobViews(data / "views.db")
        opened.callback(views.release)
        intake = SqliteIntakeRecord(data / "intake.db")
        opened.pop_all()
    return _Stores(log=log, views=views, intake=intake, ledger=lambda: SqliteLedger(data / "ledger.db"))


_current: Mayfly | None = None
_closer: asyncio.Task[None] | None = None
"""Kept here because an event loop holds its tasks only weakly."""


def current() -> Mayfly:
    """Return this process's Mayfly, composed from the environment at the first call.

    No host tells a function app that it ends. So a task waits for the event loop of the first call to end, and closes
    then: `asyncio.Runner` cancels the tasks that are left (source: docs.python.org, asyncio-runner). A host that is
    killed closes nothing, and loses nothing.

    Errors: `RuntimeError` outside an event loop; `SettingInvalid`.
    """
    global _current, _closer
    if _current is None:
        loop = asyncio.get_running_loop()
        telemetry.install()
        _current = compose(read_settings())
        _closer = loop.create_task(_close_with_the_loop(_current))
    return _current


async def _close_with_the_loop(mayfly: Mayfly) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        if _current is mayfly:
            use(None)
        await mayfly.close()


def use(mayfly: Mayfly | None) -> None:
    """Put another Mayfly in the place of this process's own; None: compose anew at the next call. For tests."""
    global _current
    _current = mayfly
