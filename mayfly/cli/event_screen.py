"""Show jobs while they run: events line by line, progress bars, and the outcomes at the end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from mayfly.cli.screen import console, state_text, table
from mayfly.client.follow import Follower
from mayfly.jobs import events as e
from mayfly.jobs.job import Job
from mayfly.wording.events import describe
from mayfly.wording.jobs import duration, summary
from mayfly.wording.text import printable
from mayfly.wording.times import clock

_POLL_S = 0.25
_BARS_MAX = 12
_COLORS: dict[str, str] = {
    "JobSubmitted": "yellow",
    "JobHeld": "yellow",
    "RetryScheduled": "yellow",
    "ContainerRefused": "red",
    "WorkerStarted": "blue",
    "WorkerFailed": "red",
    "ContainerExited": "red",
    "AttemptTimedOut": "red",
    "JobSucceeded": "bold green",
    "JobFailed": "bold red",
    "JobTimedOut": "bold red",
    "JobCanceled": "bold bright_black",
}
"""Color by type of event; the others have none."""


def event_line(event: e.Event, *, job: str | None = None, job_width: int = 0) -> Text:
    """Return an event as one line: time, job, type, description. `job` is shown instead of the job's id."""
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{clock(event.at)}  ", style="bright_black")
    line.append(f"{job or event.job_id:<{job_width}}  ", style="bold")
    line.append(f"{event.type:<24}  ", style=_COLORS.get(event.type, ""))
    line.append(describe(event))
    return line


class EventScreen:
    """Prints events as they arrive, above bars of the open jobs on a terminal. `names` replace the job ids."""

    def __init__(self, *, names: Mapping[str, str] | None = None) -> None:
        self.screen = console()
        self._names = names or {}
        self._progress = progress_bars(self.screen, "{task.fields[note]}")
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> EventScreen:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, fresh: Sequence[e.Event], follower: Follower) -> None:
        """Print new events and update the bars."""
        width = max((len(self._name(job_id)) for job_id in follower.streams), default=0)
        for event in fresh:
            self.print(event_line(event, job=self._name(event.job_id), job_width=width))
        for job_id in dict.fromkeys(event.job_id for event in fresh):
            self._update(follower.jobs[job_id])

    def print(self, line: Text) -> None:
        """Print a line above the bars; it is cut only at the edge of a terminal."""
        self._progress.console.print(line, no_wrap=True, overflow="ellipsis", crop=self.screen.is_terminal)

    def _name(self, job_id: str) -> str:
        return self._names.get(job_id, job_id)

    def _update(self, job: Job) -> None:
        bar = self._bars.get(job.job_id)
        if job.over:
            if bar is not None:
                self._progress.remove_task(self._bars.pop(job.job_id))
            return
        if bar is None:
            if len(self._bars) >= _BARS_MAX:
                return
            bar = self._bars[job.job_id] = self._progress.add_task(self._name(job.job_id), total=None, note="")
        progress = job.attempt.progress if job.attempt is not None else None
        fraction = progress.fraction if progress is not None and job.state == "running" else None
        note = f"{job.state} {printable(summary(job), 50)}".strip()
        self._progress.update(bar, total=None if fraction is None else 1.0, completed=fraction or 0.0, note=note)


def progress_bars(screen: Console, note: str) -> Progress:
    """Return bars with a note beside each, in the format of rich. They show only on a terminal, and while they run."""
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn(note))
    return Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal)


def watch_events(follower: Follower) -> None:
    """Print every event of the followed jobs until they are settled."""
    with EventScreen() as screen:
        while True:
            screen.show(follower.poll(), follower)
            if follower.settled:
                return
            time.sleep(_POLL_S)


def wait_until_over(follower: Follower) -> None:
    """Wait until every followed job is over; on a terminal, show how many are."""
    screen = console(stderr=True)
    with Live(console=screen, transient=True, refresh_per_second=4, auto_refresh=screen.is_terminal) as live:
        while True:
            follower.poll()
            if screen.is_terminal:
                live.update(_tally(list(follower.jobs.values()), len(follower.streams)))
            if follower.over:
                return
            time.sleep(_POLL_S)


def print_outcomes(jobs: Sequence[Job]) -> None:
    """Print how each job ended. For many jobs, print counts and those that did not succeed."""
    screen = console()
    shown = jobs if len(jobs) <= _BARS_MAX else [job for job in jobs if job.state != "succeeded"]
    if shown:
        rows = table("job", "state", ">attempts", ">duration", "result")
        for job in shown:
            result = Text(printable(summary(job), 100))
            rows.add_row(job.job_id, state_text(job.state), str(len(job.attempts)), duration(job), result)
        screen.print(rows)
    if len(jobs) > 1:
        screen.print(_tally(jobs, len(jobs)))


def _tally(jobs: Sequence[Job], total: int) -> Text:
    if total == 1 and jobs:
        return Text.assemble(state_text(jobs[0].state), "  ", printable(summary(jobs[0]), 80))
    line = Text(f"{sum(job.over for job in jobs)} of {total} over")
    states = [job.state for job in jobs]
    for state in dict.fromkeys(states):
        line.append(f"  {states.count(state)} ").append(state_text(state))
    return line
