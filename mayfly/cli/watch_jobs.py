"""`mayfly watch`: jobs as they go."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

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
from mayfly.wording.text import clean
from mayfly.wording.times import clock

_REFRESH_S = 0.5
_ROWS_MAX = 200


def watch(
    job_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB]...", help="These jobs, until they are settled; else all open.")
    ] = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Print each event of jobs as it happens; without ids, show the open jobs until Ctrl-C."""
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
            footer = Text(f"{foot}; Ctrl-C ends this", style="bright_black")
            live.update(Group(jobs_table(shown, width=screen.width), footer) if jobs else footer, refresh=True)
            time.sleep(_REFRESH_S)


def _print_changes(api: Api) -> None:
    """Print a line for each job that has become another since the last look."""
    known: dict[str, str] = {}
    while True:
        found = {job.job_id: job for job in _open_jobs(api)}
        for job_id in known.keys() - found.keys():
            found[job_id] = api.job(job_id)
        for job in found.values():
            line = f"{job.state:<9}  {clean(summary(job), 100)}".rstrip()
            if known.get(job.job_id) != line:
                print(f"{clock(job.updated_at)}  {job.job_id}  {line}", flush=True)
            known[job.job_id] = line
            if job.over:
                del known[job.job_id]
        time.sleep(_REFRESH_S)


def _open_jobs(api: Api) -> list[Job]:
    states = ",".join(state for state in STATES if state in OPEN)
    return list(api.jobs(limit=_ROWS_MAX, state=states))
