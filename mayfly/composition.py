"""The composition root: which adapter stands behind each port, decided here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

from mayfly import telemetry
from mayfly.admission.admission import Admission
from mayfly.admission.one_place import OnePlace
from mayfly.clock import Clock, SystemClock
from mayfly.containers.processes import ProcessRuntime
from mayfly.containers.runtime import ContainerRuntime
from mayfly.intake.intake_record import IntakeRecord
from mayfly.intake.sqlite import SqliteIntakeRecord
from mayfly.jobs.job import fold
from mayfly.jobs.steering import LOCAL_PACE, Pace
from mayfly.log.event_log import EventLog
from mayfly.log.sqlite import SqliteEventLog
from mayfly.report_tokens import ReportTokens
from mayfly.secrets import EnvironmentSecrets, SecretStore
from mayfly.settings import Settings, read_settings
from mayfly.streams import Streams
from mayfly.views.job_views import JobViews
from mayfly.views.sqlite import SqliteJobViews

_LOCAL = "local"


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What a place bills, in USD."""

    cpu_hour: float
    memory_gb_hour: float


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

    @cached_property
    def streams(self) -> Streams:
        """The log, seen as jobs."""
        return Streams(self.log, self.clock)

    async def close(self) -> None:
        """Release what the stores hold open."""
        await self.log.close()
        await self.views.close()
        await self.intake.close()


def compose(settings: Settings) -> Mayfly:
    """Put the adapters together as the settings say."""
    clock = SystemClock()
    runtime = ProcessRuntime(settings.data / "containers", worker_command=settings.worker_command)
    log, views, intake = _stores(settings)
    return Mayfly(
        clock=clock,
        log=log,
        views=views,
        runtime=runtime,
        admission=OnePlace(_LOCAL, groups_max=settings.groups_max, jobs_present=partial(jobs_present, runtime, log)),
        secrets=EnvironmentSecrets(),
        tokens=ReportTokens(settings.report_key),
        pace=LOCAL_PACE,
        public_url=settings.public_url,
        place=_LOCAL,
        rates=Rates(cpu_hour=0.0, memory_gb_hour=0.0),
        intake=intake,
    )


async def jobs_present(runtime: ContainerRuntime, log: EventLog) -> set[str]:
    """Return the jobs that have a group and are still followed.

    A group that nobody follows takes no place: its job would never give it back.
    """
    listed = {listing.job_id for listing in await runtime.list()}
    jobs = [fold(await log.read(job_id)) for job_id in sorted(listed)]
    return {job.job_id for job in jobs if job is not None and not job.settled}


def _stores(settings: Settings) -> tuple[EventLog, JobViews, IntakeRecord]:
    if settings.cosmos_endpoint is None:
        return (
            SqliteEventLog(settings.data / "log.db"),
            SqliteJobViews(settings.data / "views.db"),
            SqliteIntakeRecord(settings.data / "intake.db"),
        )
    # Imported here: the SDK takes half a second to import, which a laptop without an account need not wait for.
    from mayfly.cosmos.account import CosmosAccount
    from mayfly.intake.cosmos import CosmosIntakeRecord
    from mayfly.log.cosmos import CosmosEventLog
    from mayfly.views.cosmos import CosmosJobViews

    account = CosmosAccount(settings.cosmos_endpoint, settings.cosmos_key)
    return CosmosEventLog(account), CosmosJobViews(account), CosmosIntakeRecord(account)


_current: Mayfly | None = None


def current() -> Mayfly:
    """Return this process's Mayfly, composed from the environment at the first call."""
    global _current
    if _current is None:
        telemetry.install()
        _current = compose(read_settings())
    return _current


def use(mayfly: Mayfly | None) -> None:
    """Put another Mayfly in the place of this process's own; None: compose anew at the next call. For tests."""
    global _current
    _current = mayfly
