"""`mayfly demo`: run six real jobs, good and bad, and check each of them and the whole log at the end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from rich.console import Console
from rich.text import Text

from drills import checks
from drills.checks import Check
from drills.demo_jobs import DEMO_JOBS
from drills.planned_job import PlannedJob
from drills.scratch_host import Folder, scratch_host
from mayfly.cli.event_screen import EventScreen
from mayfly.cli.host_process import LocalHost
from mayfly.cli.screen import console, mark, state_text, table
from mayfly.client.api import Api
from mayfly.client.errors import ClientError
from mayfly.client.follow import Follower
from mayfly.containers.processes.group_directory import GroupDirectory
from mayfly.jobs.events import Event
from mayfly.jobs.job import Job
from mayfly.wording.jobs import duration, summary
from mayfly.wording.text import printable

QUIET_S_MAX = 300.0
"""How long no event may arrive before the demo gives up. A guard against hangs only."""
_POLL_S = 0.1
_OTHER_COLUMNS_CHARS = 84


def demo(data: Folder = None) -> None:
    """Run six real jobs and check how each job ends."""
    begun, screen = time.monotonic(), console()
    with scratch_host(data, "mayfly-demo-") as host:
        screen.print(Text.assemble(("Mayfly demo", "bold"), ": six jobs, run as real processes on this machine"))
        child = host.start()
        try:
            child.wait_until_ready()
            screen.print(f"the host is up at {host.url} after {time.monotonic() - begun:.1f} s\n")
            with host.api() as api:
                by_id = _submit(api)
                with Follower(api, by_id) as follower:
                    killed_at = _follow(host, api, follower, by_id)
            found = [*_checks(host, follower, by_id, killed_at), checks.host_stops_cleanly(child.stop, host.data)]
        finally:
            child.stop()
        _print_table(screen, follower, by_id)
        checks.conclude(screen, found, drill="the demo", success="six jobs ended as expected", begun=begun)


def _submit(api: Api) -> dict[str, PlannedJob]:
    """Submit all jobs at once; return them by job id, in order."""
    with ThreadPoolExecutor(len(DEMO_JOBS)) as pool:
        job_ids = pool.map(lambda job: api.submit(job.document, idempotency_key=job.idempotency_key), DEMO_JOBS)
        return dict(zip(job_ids, DEMO_JOBS, strict=True))


def _follow(host: LocalHost, api: Api, follower: Follower, by_id: Mapping[str, PlannedJob]) -> dict[str, float]:
    """Show every event; cancel and kill jobs as planned. Return when each worker was killed, in epoch seconds."""
    killed_at: dict[str, float] = {}
    acted: set[str] = set()
    give_up = time.monotonic() + QUIET_S_MAX
    with EventScreen(names={job_id: planned.name for job_id, planned in by_id.items()}) as events:
        while True:
            if new := follower.poll():
                events.show(new, follower)
                give_up = time.monotonic() + QUIET_S_MAX
            if follower.settled or time.monotonic() > give_up:
                return killed_at
            for job_id, planned in by_id.items():
                job = follower.jobs.get(job_id)
                if planned.act is None or job_id in acted or job is None or job.state != "running":
                    continue
                acted.add(job_id)
                if planned.act == "cancel":
                    events.print(Text(f"{'>>>':>12}  mayfly cancel {job_id}", style="magenta"))
                    api.cancel(job_id, reason="part of the demo")
                else:
                    pid = _kill_worker(host.data, job)
                    killed_at[job_id] = time.time()
                    events.print(Text(f"{'>>>':>12}  kill -9 {pid}, the worker of {planned.name}", style="magenta"))
            time.sleep(_POLL_S)


def _kill_worker(data: Path, job: Job) -> int:
    """Kill the worker of a job's container, like a machine that is out of memory; return its pid."""
    group = job.attempt.group if job.attempt is not None else ""
    recorder = GroupDirectory(data / "containers", group).recorder_pid() if group else None
    workers = psutil.Process(recorder).children() if recorder is not None else []
    if not workers:
        raise ClientError(f"the worker of {job.job_id} was not found")
    workers[0].kill()
    return workers[0].pid


def _checks(
    host: LocalHost, follower: Follower, by_id: Mapping[str, PlannedJob], killed_at: Mapping[str, float]
) -> list[Check]:
    ends = [fault for job_id, planned in by_id.items() for fault in planned.faults(follower.jobs[job_id])]
    unsettled = [f"{job.job_id} is not settled" for job in follower.jobs.values() if not job.settled]
    return [
        Check(name="every job ended as expected", faults=[*unsettled, *ends]),
        _dead_worker_was_noticed(follower.streams, killed_at),
        checks.streams_are_gapless(follower.streams),
        checks.attempts_are_claimed_once(follower.streams),
        checks.containers_are_gone(follower.jobs),
        checks.no_container_directory_is_left(host.data),
        checks.no_process_is_left(host.data),
    ]


def _dead_worker_was_noticed(streams: Mapping[str, Sequence[Event]], killed_at: Mapping[str, float]) -> Check:
    """Check that polls of its container noticed the dead worker, and not its deadline (I6)."""
    faults = [] if killed_at else ["no worker was killed"]
    slowest_s = 0.0
    for job_id, at in killed_at.items():
        first = next((event for event in streams[job_id] if event.type in ("ContainerExited", "AttemptTimedOut")), None)
        if first is None:
            faults.append(f"{job_id}: it was not noticed")
        elif first.type == "AttemptTimedOut":
            faults.append(f"{job_id}: it was noticed only at its deadline")
        else:
            slowest_s = max(slowest_s, first.at.timestamp() - at)
    return Check(name=f"the killed worker was noticed after {slowest_s:.1f} s, not at its deadline", faults=faults)


def _print_table(screen: Console, follower: Follower, by_id: Mapping[str, PlannedJob]) -> None:
    screen.print()
    rows = table("", "job", "expected", "outcome", ">attempts", ">duration", ">events", "result or error")
    for job_id, planned in by_id.items():
        job = follower.jobs[job_id]
        rows.add_row(
            mark(not planned.faults(job)),
            planned.name,
            planned.expected,
            state_text(job.state),
            str(len(job.attempts)),
            duration(job),
            str(len(follower.streams[job_id])),
            Text(printable(summary(job), max(screen.width - _OTHER_COLUMNS_CHARS, 24))),
        )
    for column in rows.columns:
        column.no_wrap = True
    screen.print(rows)
    screen.print()
