"""The run itself: submit, cancel, kill, restart, and wait until every job is settled."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import KW_ONLY, InitVar, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from drills.planned_job import PlannedJob
from mayfly.cli.event_screen import progress_bars
from mayfly.cli.host_process import Child, LocalHost, wait_for_port
from mayfly.client.api import Api
from mayfly.client.errors import ClientError
from mayfly.jobs.evolve import evolve
from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import STATES, TERMINAL, JobState
from mayfly.log.sqlite.event_log import SqliteEventLog

PATIENCE_S = 900.0
"""How long a request is retried, and how long no job may settle after the last kill. A guard against hangs only."""
_THREADS = 12
_STARTING_UP_SHARE = 0.25
"""Share of the kills that hit the host before it answers its first request."""
_STARTING_UP_S = (0.05, 0.8)
_SERVING_S = (0.0, 1.2)
_CANCEL_POLL_S = 0.3
_SETTLE_POLL_S = 0.5
_STATES_POLL_S = 0.01
_STATES_WITHIN_S = 10.0


@dataclass
class ChaosRun:
    """One run. `go` returns when every job is settled and the host is up; then `by_id` has the jobs by id."""

    host: LocalHost
    child: InitVar[Child]
    """The running host."""
    jobs: Sequence[PlannedJob]
    rng: random.Random
    _: KW_ONLY
    kills: int
    lose_task_hub: bool
    screen: Console
    by_id: dict[str, PlannedJob] = field(init=False, default_factory=dict)
    _child: Child = field(init=False)
    """Each kill is followed by a new one."""
    _progress: Progress = field(init=False)
    _aborted: threading.Event = field(init=False, default_factory=threading.Event)

    def __post_init__(self, child: Child) -> None:
        self._child = child
        self._progress = progress_bars(self.screen, "{task.completed:g} of {task.total:g}")

    def go(self) -> None:
        """Do the whole run. Errors: `ClientError` if the host does not start or leaves a request unanswered."""
        self._child.wait_until_ready()
        with (
            self.host.api(patience_s=PATIENCE_S, sleep=self._sleep) as api,
            self._progress,
            ThreadPoolExecutor(_THREADS) as pool,
        ):
            try:
                users = self._kill_and_submit(api, pool)
                self._show("the host stays up now; waiting for jobs to settle")
                for user in users:
                    user.result()
                self._wait_until_settled(api)
            except BaseException:
                self._aborted.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def stop(self) -> bool:
        """Stop the host; False if it had to be killed."""
        return self._child.stop()

    def _kill_and_submit(self, api: Api, pool: ThreadPoolExecutor) -> list[Future[None]]:
        """Submit a share of the jobs before each kill; return the users that are still busy."""
        bar = self._progress.add_task("kills", total=self.kills)
        users: list[Future[None]] = []
        waiting = _each_kind_first(self.jobs) if self.lose_task_hub else list(self.jobs)
        for number in range(1, self.kills + 1):
            share = len(waiting) // (self.kills - number + 2)
            lose = self.lose_task_hub and number == (self.kills + 1) // 2
            if lose:
                self._wait_for_states(api, TERMINAL)
                share = len(waiting) // 2  # enough at once that some are still queued and some are starting
            users += [pool.submit(self._use, api, job) for job in waiting[:share]]
            del waiting[:share]
            if lose:
                self._wait_for_states(api, set(STATES))
                self._kill_now(f"kill {number} of {self.kills}, with jobs in every state")
                self._delete_task_hub()
            else:
                self._kill(number)
            wait_for_port(self.host.port)
            self._child = self.host.start()
            self._progress.update(bar, completed=number)
        users += [pool.submit(self._use, api, job) for job in waiting]
        self._child.wait_until_ready()
        return users

    def _use(self, api: Api, job: PlannedJob) -> None:
        """Act as a user of this job: submit it, and if it is one to cancel, cancel it once it runs."""
        job_id = api.submit(job.document, idempotency_key=job.idempotency_key)
        self.by_id[job_id] = job
        while job.act == "cancel" and not self._aborted.is_set():
            state = api.job(job_id).state
            if state == "running":
                api.cancel(job_id, reason="chaos")
                return
            if state not in ("queued", "starting"):
                return  # the checks will report that this is not the expected outcome
            self._aborted.wait(_CANCEL_POLL_S)

    def _kill(self, number: int) -> None:
        if self.rng.random() < _STARTING_UP_SHARE:
            wait_s, when = self.rng.uniform(*_STARTING_UP_S), "starting up"
        else:
            self._child.wait_until_ready()
            wait_s, when = self.rng.uniform(*_SERVING_S), "serving"
        time.sleep(wait_s)
        self._kill_now(f"kill {number} of {self.kills}, {wait_s:.2f} s into {when}")

    def _kill_now(self, what: str) -> None:
        if self._child.exit_code is not None:
            raise ClientError(f"the host exited unexpectedly with code {self._child.exit_code}")
        self._child.kill()
        self._show(f"{what}; {len(self.by_id)} jobs submitted")

    def _wait_for_states(self, api: Api, states: Set[JobState]) -> None:
        """Wait until there is a job in each of these states; give up after 10 seconds."""
        give_up = time.monotonic() + _STATES_WITHIN_S
        while time.monotonic() < give_up and not states <= {job.state for job in api.jobs()}:
            time.sleep(_STATES_POLL_S)

    def _delete_task_hub(self) -> None:
        """Delete the task hub and the views while the host is dead, and print the states of the jobs at that time."""
        folder = self.host.data
        self._show(f"the task hub and the views are deleted; states in the log: {states_in(folder / 'log.db')}")
        for path in [*(folder / "host").glob("hub.db*"), *folder.glob("views.db*")]:
            path.unlink()

    def _wait_until_settled(self, api: Api) -> None:
        """Wait until every job is settled. If that takes too long, the checks report what is missing."""
        bar = self._progress.add_task("settled", total=len(self.jobs))
        give_up = time.monotonic() + PATIENCE_S
        printed_at = before = 0.0
        while True:
            settled = sum(job.settled for job in api.jobs(archived="true"))
            self._progress.update(bar, completed=settled)
            if settled >= len(self.jobs):
                return
            if settled > before:
                before, give_up = settled, time.monotonic() + PATIENCE_S
            if time.monotonic() > give_up:
                self._show(f"{settled} of {len(self.jobs)} jobs have settled, and no other within {PATIENCE_S:g} s")
                return
            if not self.screen.is_terminal and time.monotonic() - printed_at > 5.0:
                printed_at = time.monotonic()
                self._show(f"{settled} of {len(self.jobs)} jobs have settled")
            time.sleep(_SETTLE_POLL_S)

    def _sleep(self, seconds: float) -> None:
        """Wait before a request is retried. Errors: `ClientError` if the run is aborted."""
        if self._aborted.wait(seconds):
            raise ClientError("the run is aborted")

    def _show(self, line: str) -> None:
        self._progress.console.print(Text(line))


def _each_kind_first(jobs: Sequence[PlannedJob]) -> list[PlannedJob]:
    """Return the jobs in order, but with one of each kind before the others."""
    firsts = {job.name: job for job in reversed(jobs)}.values()
    return [*firsts, *(job for job in jobs if job not in firsts)]


def states_in(log: Path) -> str:
    """Return in words how many jobs are in each state, by a log file without a writer."""
    counts = Counter(job.state for job in asyncio.run(_fold_all(log)))
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])


async def _fold_all(path: Path) -> list[Job]:
    log = SqliteEventLog(path)
    jobs: dict[str, Job] = {}
    position = 0
    while batch := await log.read_all(after=position):
        for recorded in batch:
            jobs[recorded.event.job_id] = evolve(jobs.get(recorded.event.job_id), recorded.event)
        position = batch[-1].global_position
    await log.close()
    return list(jobs.values())
