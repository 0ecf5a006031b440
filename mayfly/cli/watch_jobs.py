"""`mayfly watch`: events of jobs, or a live table of open jobs."""

from __future__ import annotations

import time
from typing import Annotated

from rich.console import Group
from rich.live import Live
from rich.text import Text
from typer import Argument

from mayfly.cli.event_screen import watch_events
from mayfly.cli.options import Key, Url
from mayfly.cli.screen import console
from mayfly.cli.show_jobs import jobs_table
from mayfly.client.api import Api
from mayfly.client.connection import DEFAULT_URL, connect
from mayfly.client.follow import Follower
from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import OPEN, STATES
from mayfly.wording.jobs import summary
from mayfly.wording.text import printable
from mayfly.wording.times import clock

_POLL_S = 0.5
_ROWS_MAX = 200


def watch(
    job_ids: Annotated[
        list[str] | None, Argument(metavar="[JOB]...", help="Job ids. Without ids, all open jobs.")
    ] = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Stream events of the given jobs. Without ids, show a live table of open jobs until Ctrl-C.

    With ids, it ends once every job is over and its containers are gone.
    """
    with connect(url, key) as api:
        if not job_ids:
            _watch_open(api)
            return
        with Follower(api, job_ids) as follower:
            watch_events(follower)


def _watch_open(api: Api) -> None:
    screen = console()
    if not screen.is_terminal:
        _print_changes(api)
        return
    with Live(console=screen, screen=False, auto_refresh=False) as live:
        while True:
            jobs = _open_jobs(api)
            shown = jobs[: max(screen.height - 4, 5)]
            foot = f"{len(jobs)} open, {len(shown)} shown" if len(shown) < len(jobs) else f"{len(jobs)} open"
            footer = Text(f"{foot}; press Ctrl-C to stop", style="bright_black")
            live.update(Group(jobs_table(shown, width=screen.width), footer) if jobs else footer, refresh=True)
            time.sleep(_POLL_S)


def _print_changes(api: Api) -> None:
    """Print a line for each job that has changed since the last poll."""
    known: dict[str, str] = {}
    while True:
        found = {job.job_id: job for job in _open_jobs(api)}
        for job_id in known.keys() - found.keys():
            found[job_id] = api.job(job_id)
        for job in found.values():
            line = f"{job.state:<9}  {printable(summary(job), 100)}".rstrip()
            if known.get(job.job_id) != line:
                print(f"{clock(job.updated_at)}  {job.job_id}  {line}", flush=True)
            known[job.job_id] = line
            if job.over:
                del known[job.job_id]
        time.sleep(_POLL_S)


def _open_jobs(api: Api) -> list[Job]:
    states = ",".join(state for state in STATES if state in OPEN)
    return list(api.jobs(limit=_ROWS_MAX, state=states))
