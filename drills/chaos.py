"""`mayfly chaos`: run jobs of every kind while the host is killed repeatedly, then check everything.

The host is killed with SIGKILL at random moments, even while it starts. In the meantime, clients submit and cancel jobs
with idempotency keys and retry through each outage. With `--lose-task-hub`, the task hub and the views are deleted
halfway (I1). The seed determines the jobs and the moments; how they interleave depends on the machine.
"""

from __future__ import annotations

import random
import secrets
import time
from pathlib import Path
from typing import Annotated

from rich.console import Console
from rich.text import Text
from typer import Option

from drills import chaos_checks, checks
from drills.chaos_jobs import WEIGHTS, draw_jobs
from drills.chaos_run import ChaosRun
from drills.checks import Check
from drills.planned_job import PlannedJob
from drills.scratch_host import Folder, scratch_host
from mayfly.cli.host_process import LocalHost
from mayfly.cli.screen import console, state_text, table
from mayfly.jobs.events import Event
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job


def chaos(
    jobs: Annotated[int, Option("--jobs", min=1, max=10_000, help="Number of jobs.")] = 100,
    kills: Annotated[int, Option("--kills", min=0, max=1_000, help="How often the host is killed.")] = 20,
    seed: Annotated[int | None, Option("--seed", help="Repeat a run: the same jobs and moments.")] = None,
    lose_task_hub: Annotated[
        bool, Option("--lose-task-hub", help="Delete the task hub and the views halfway.")
    ] = False,
    data: Folder = None,
) -> None:
    """Run jobs, kill the host repeatedly, and check how each job ends."""
    begun, screen = time.monotonic(), console()
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    screen.print(Text.assemble(("Mayfly chaos", "bold"), f": seed {seed}, {jobs} jobs, {kills} kills of the host"))
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    with scratch_host(data, "mayfly-chaos-") as host:
        runs = host.data / "runs"
        runs.mkdir()
        planned = draw_jobs(jobs, rng, runs=str(runs))
        screen.print(", ".join(f"{sum(job.name == kind for job in planned)} {kind}" for kind in WEIGHTS))
        run = ChaosRun(host, host.start(), planned, rng, kills=kills, lose_task_hub=lose_task_hub, screen=screen)
        try:
            run.go()
            found = [*_checks(host, run, planned, runs), checks.host_stops_cleanly(run.stop, host.data)]
        finally:
            run.stop()
        success = f"{jobs} jobs ended as expected through {kills} kills"
        checks.conclude(screen, found, drill="chaos", success=success, begun=begun, note=f" (seed {seed})")


def _checks(host: LocalHost, run: ChaosRun, planned: list[PlannedJob], runs: Path) -> list[Check]:
    with host.api() as api:
        listed = {job.job_id: job for job in api.jobs(archived="true")}
        streams: dict[str, list[Event]] = {job_id: api.events(job_id) for job_id in run.by_id}
        whole = list(api.all_events())
    jobs: dict[str, Job] = {job_id: job for job_id, events in streams.items() if (job := fold(events)) is not None}
    _print_summary(run.screen, run.by_id, jobs, streams)
    return [
        chaos_checks.outcomes_are_right(run.by_id, jobs, len(planned)),
        chaos_checks.no_job_is_unexpected(run.by_id, listed),
        checks.streams_are_gapless(streams),
        chaos_checks.log_has_no_duplicates(whole, streams),
        checks.attempts_are_claimed_once(streams),
        chaos_checks.attempts_ran_once(run.by_id, jobs, runs),
        chaos_checks.views_equal_their_streams(listed, jobs),
        checks.containers_are_gone(jobs),
        checks.no_container_directory_is_left(host.data),
        checks.no_process_is_left(host.data),
    ]


def _print_summary(
    screen: Console, by_id: dict[str, PlannedJob], jobs: dict[str, Job], streams: dict[str, list[Event]]
) -> None:
    rows = table("kind", ">jobs", "expected", ">as expected", ">attempts", ">events")
    for kind in WEIGHTS:
        ids = [job_id for job_id, planned in by_id.items() if planned.name == kind]
        if not ids:
            continue
        right = sum(not by_id[job_id].faults(jobs[job_id]) for job_id in ids if job_id in jobs)
        attempts = sum(len(jobs[job_id].attempts) for job_id in ids if job_id in jobs)
        events = sum(len(streams[job_id]) for job_id in ids)
        state = state_text(by_id[ids[0]].state)
        rows.add_row(kind, str(len(ids)), state, str(right), str(attempts), str(events))
    screen.print()
    screen.print(rows)
    screen.print()
