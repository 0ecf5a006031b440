"""The composition root: the only place that chooses an adapter for each port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mayfly.admission.admission import Admission
from mayfly.admission.ledger import Ledger, Reservation
from mayfly.admission.placement import HoldPolicy
from mayfly.admission.placement_admission import PlacementAdmission
from mayfly.admission.rates import DOCUMENTED
from mayfly.admission.single_machine import single_machine
from mayfly.admission.sqlite import SqliteLedger
from mayfly.app import AsyncCloseable, Mayfly, ReadStores
from mayfly.clock import SystemClock
from mayfly.containers.processes.runtime import ProcessRuntime
from mayfly.containers.runtime import ContainerRuntime
from mayfly.intake.intake_record import IntakeRecord
from mayfly.intake.sqlite import SqliteIntakeRecord
from mayfly.jobs.costs import Prices
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.jobs.next_step import AZURE_POLLS, LOCAL_POLLS, PollPolicy
from mayfly.jobs.places import Place, cores_of
from mayfly.log.event_log import EventLog
from mayfly.log.sqlite.event_log import SqliteEventLog, SqliteLogReader
from mayfly.log.sqlite.stats import SqliteLogStats
from mayfly.report_tokens import ReportTokens
from mayfly.secrets.environment import EnvironmentSecrets
from mayfly.secrets.store import SecretStore
from mayfly.settings import AciSettings, Settings, StoreSettings, read_settings
from mayfly.telemetry import job_context
from mayfly.views.job_views import JobViews
from mayfly.views.sqlite.job_views import SqliteJobViews, SqliteViewsReader
from mayfly.views.sqlite.stats import SqliteJobStats

if TYPE_CHECKING:
    from mayfly.containers.aci.runtime import AciRuntime

_LOCAL = "local"


def compose_read_only(settings: StoreSettings) -> ReadStores:
    """Return the stores, for reading only; they need not exist yet."""
    if settings.cosmos_endpoint is not None:
        return _read_only_in_cosmos(settings.cosmos_endpoint, settings.cosmos_key, settings.prices)
    return ReadStores(
        log=SqliteLogReader(settings.data / "log.db"),
        views=SqliteViewsReader(settings.data / "views.db"),
        stats=SqliteJobStats(settings.data / "views.db"),
        log_stats=SqliteLogStats(settings.data / "log.db"),
        prices=settings.prices,
        store=f"SQLite files in {settings.data.name}",
    )


def _read_only_in_cosmos(endpoint: str, key: str | None, prices: Prices) -> ReadStores:
    from mayfly.cosmos.account import CosmosAccount
    from mayfly.log.cosmos.event_log import CosmosEventLog
    from mayfly.log.cosmos.stats import CosmosLogStats
    from mayfly.views.cosmos.job_views import CosmosJobViews
    from mayfly.views.cosmos.stats import CosmosJobStats

    account = CosmosAccount(endpoint, key, reads_only=True)
    return ReadStores(
        log=CosmosEventLog(account),
        views=CosmosJobViews(account),
        stats=CosmosJobStats(account),
        log_stats=CosmosLogStats(account),
        prices=prices,
        store=f"Cosmos DB at {endpoint}",
    )


def compose(settings: Settings) -> Mayfly:
    """Return the adapters that the settings select.

    If one of them cannot be opened, no file is left open: every request composes again, and the others would leak.
    """
    secrets, closed_with_secrets = _secrets(settings)
    tokens = ReportTokens(settings.report_key)
    with ExitStack() as opened:
        if settings.cosmos_endpoint is not None:
            stores = _cosmos_stores(settings.cosmos_endpoint, settings.cosmos_key)
        else:
            stores = _sqlite_stores(settings.data, opened)
        compute = _on_azure(settings, stores) if isinstance(settings, AciSettings) else _here(settings, stores.log)
        opened.pop_all()
    return Mayfly(
        clock=SystemClock(),
        log=stores.log,
        views=stores.views,
        runtime=compute.runtime,
        admission=compute.admission,
        secrets=secrets,
        tokens=tokens,
        polls=compute.polls,
        public_url=settings.public_url,
        place=compute.place,
        prices=settings.prices,
        intake=stores.intake,
        resources=(*compute.resources, *closed_with_secrets),
    )


class _Stores(NamedTuple):
    log: EventLog
    views: JobViews
    intake: IntakeRecord
    ledger: Callable[[], Ledger]
    """Opens the ledger: a single machine has none on disk."""


class _Compute(NamedTuple):
    """The runtime of container groups, and the admission and polls that fit it."""

    runtime: ContainerRuntime
    admission: Admission
    place: str
    polls: PollPolicy
    resources: tuple[AsyncCloseable, ...] = ()


def _here(settings: Settings, log: EventLog) -> _Compute:
    """Run container groups as processes on this machine."""
    runtime = ProcessRuntime(settings.data / "containers", worker_command=settings.worker_command)
    present = partial(jobs_present, runtime, log)
    admission = single_machine(_LOCAL, groups_max=settings.groups_max, jobs_present=present)
    return _Compute(runtime=runtime, admission=admission, place=_LOCAL, polls=LOCAL_POLLS)


def _on_azure(aci: AciSettings, stores: _Stores) -> _Compute:
    """Run container groups on Azure Container Instances. Importing its SDK takes a second, so do it here only."""
    from mayfly.containers.aci.metrics import AciMetrics
    from mayfly.containers.aci.runtime import AciOptions, AciRuntime
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
    metrics = AciMetrics(aci.metrics_audience, credential()) if aci.metrics == "on" and not plain else None
    runtime = AciRuntime(options, credential=credential(plain=plain), metrics=metrics)
    ledger = stores.ledger()  # last: nothing after it can fail and leave it open
    return _Compute(
        runtime=runtime,
        admission=admission_to(aci.places, runtime=runtime, log=stores.log, ledger=ledger),
        place=aci.places[0].name,
        polls=AZURE_POLLS,
        resources=(runtime, ledger),
    )


def admission_to(places: Sequence[Place], *, runtime: AciRuntime, log: EventLog, ledger: Ledger) -> PlacementAdmission:
    """Return the admission for Azure regions: live quotas, and the documented rates of creates and deletes."""

    async def present() -> Mapping[str, Reservation]:
        listings = await runtime.list()
        jobs = await _unsettled(log, {listing.job_id for listing in listings})
        return {
            one.job_id: Reservation(
                place=one.place, cores=cores_of(jobs[one.job_id].spec.cpu), at=one.created_at.timestamp()
            )
            for one in listings
            if one.job_id in jobs
        }

    regions = len({place.region for place in places})
    # Jobs that wait for a quota return at the rate at which Azure allows creates.
    holds = HoldPolicy(front_hold_s=15.0, step_s=3.0 / regions, hold_max_s=900.0)
    return PlacementAdmission(
        places, ledger=ledger, present=present, quota=runtime.quota, rates=DOCUMENTED, holds=holds
    )


def _secrets(settings: Settings) -> tuple[SecretStore, tuple[AsyncCloseable, ...]]:
    """Return the secret store, and the resources to close with it."""
    if settings.key_vault is None:
        return EnvironmentSecrets(), ()
    from mayfly.credentials import credential
    from mayfly.secrets.key_vault import KeyVaultSecrets

    store = KeyVaultSecrets(settings.key_vault, credential())
    return store, (store,)


async def jobs_present(runtime: ContainerRuntime, log: EventLog) -> set[str]:
    """Return the unsettled jobs that have a group.

    The group of a settled job takes up no capacity, because no orchestrator would ever release it.
    """
    return {*await _unsettled(log, {listing.job_id for listing in await runtime.list()})}


async def _unsettled(log: EventLog, listed: set[str]) -> dict[str, Job]:
    jobs = [fold(await log.read(job_id)) for job_id in sorted(listed)]
    return {job.job_id: job for job in jobs if job is not None and not job.settled}


def _cosmos_stores(endpoint: str, key: str | None) -> _Stores:
    # Importing the SDK takes half a second; a laptop without an account need not wait for it.
    from mayfly.admission.cosmos import CosmosLedger
    from mayfly.cosmos.account import CosmosAccount
    from mayfly.intake.cosmos import CosmosIntakeRecord
    from mayfly.log.cosmos.event_log import CosmosEventLog
    from mayfly.views.cosmos.job_views import CosmosJobViews

    account = CosmosAccount(endpoint, key)
    return _Stores(
        log=CosmosEventLog(account),
        views=CosmosJobViews(account),
        intake=CosmosIntakeRecord(account),
        ledger=lambda: CosmosLedger(account),
    )


def _sqlite_stores(data: Path, opened: ExitStack) -> _Stores:
    log = SqliteEventLog(data / "log.db")
    opened.callback(log.release)
    views = SqliteJobViews(data / "views.db")
    opened.callback(views.release)
    intake = SqliteIntakeRecord(data / "intake.db")
    opened.callback(intake.release)
    return _Stores(log=log, views=views, intake=intake, ledger=lambda: SqliteLedger(data / "ledger.db"))


_current: Mayfly | None = None
_closer: asyncio.Task[None] | None = None
"""Kept here because an event loop holds its tasks only weakly."""


def current() -> Mayfly:
    """Return the Mayfly of this process; the first call composes it from the environment.

    A function app gets no notice when its host stops. A task therefore waits for the event loop of the first call to
    end, and closes the connections then: `asyncio.Runner` cancels the tasks that are left (source: docs.python.org,
    asyncio-runner). A host that is killed closes nothing and loses nothing.

    Errors: `RuntimeError` outside an event loop; `SettingInvalid`.
    """
    global _current, _closer
    if _current is None:
        loop = asyncio.get_running_loop()
        job_context.install()
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
    """Replace the Mayfly of this process; None: compose it again at the next call. For tests."""
    global _current
    _current = mayfly
