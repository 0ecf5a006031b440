"""The composition root: which adapter stands behind each port, decided here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

from mayfly.admission.admission import Admission
from mayfly.admission.one_place import OnePlace
from mayfly.clock import Clock, SystemClock
from mayfly.containers.processes import ProcessRuntime
from mayfly.containers.runtime import ContainerRuntime
from mayfly.jobs.job import fold
from mayfly.jobs.steering import LOCAL_PACE, Pace
from mayfly.log.event_log import EventLog
from mayfly.log.gauge import LogGauge
from mayfly.log.sqlite import SqliteEventLog, SqliteLogReader
from mayfly.log.sqlite_gauge import SqliteLogGauge
from mayfly.report_tokens import ReportTokens
from mayfly.secrets import EnvironmentSecrets, SecretStore
from mayfly.settings import Settings, StoreSettings, read_settings
from mayfly.streams import Streams
from mayfly.views.figures import Figures
from mayfly.views.job_views import JobViews
from mayfly.views.sqlite import SqliteJobViews, SqliteViewsReader
from mayfly.views.sqlite_figures import SqliteFigures

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

    @cached_property
    def streams(self) -> Streams:
        """The log, seen as jobs."""
        return Streams(self.log, self.clock)

    async def close(self) -> None:
        """Release what the stores hold open."""
        await self.log.close()
        await self.views.close()


@dataclass(frozen=True, kw_only=True)
class Readable:
    """What a process needs that only reads: stores opened for reading, and nothing that runs containers."""

    log: EventLog
    views: JobViews
    figures: Figures
    gauge: LogGauge | None
    """None: this store does not tell how large its log is."""
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
        for opened in (self.log, self.views, self.figures, self.gauge):
            if opened is not None:
                await opened.close()


def compose_readable(settings: StoreSettings) -> Readable:
    """Put the stores together for reading alone; they need not be there yet."""
    return Readable(
        log=SqliteLogReader(settings.data / "log.db"),
        views=SqliteViewsReader(settings.data / "views.db"),
        figures=SqliteFigures(settings.data / "views.db"),
        gauge=SqliteLogGauge(settings.data / "log.db"),
        rates=_LOCAL_RATES,
        store=f"SQLite files in {settings.data.name}",
    )


def compose(settings: Settings) -> Mayfly:
    """Put the adapters together as the settings say."""
    clock = SystemClock()
    runtime = ProcessRuntime(settings.data / "containers", worker_command=settings.worker_command)
    log = SqliteEventLog(settings.data / "log.db")
    return Mayfly(
        clock=clock,
        log=log,
        views=SqliteJobViews(settings.data / "views.db"),
        runtime=runtime,
        admission=OnePlace(_LOCAL, groups_max=settings.groups_max, jobs_present=partial(jobs_present, runtime, log)),
        secrets=EnvironmentSecrets(),
        tokens=ReportTokens(settings.report_key),
        pace=LOCAL_PACE,
        public_url=settings.public_url,
        place=_LOCAL,
        rates=_LOCAL_RATES,
    )


async def jobs_present(runtime: ContainerRuntime, log: EventLog) -> set[str]:
    """Return the jobs that have a group and are still followed.

    A group that nobody follows takes no place: its job would never give it back.
    """
    listed = {listing.job_id for listing in await runtime.list()}
    jobs = [fold(await log.read(job_id)) for job_id in sorted(listed)]
    return {job.job_id for job in jobs if job is not None and not job.settled}


_current: Mayfly | None = None


def current() -> Mayfly:
    """Return this process's Mayfly, composed from the environment at the first call."""
    global _current
    if _current is None:
        _current = compose(read_settings())
    return _current


def use(mayfly: Mayfly | None) -> None:
    """Put another Mayfly in the place of this process's own; None: compose anew at the next call. For tests."""
    global _current
    _current = mayfly
