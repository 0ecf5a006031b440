"""An event as one colored line of a terminal."""

from __future__ import annotations

from rich.text import Text

from mayfly.jobs import events as e
from mayfly.wording.events import describe
from mayfly.wording.times import clock

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
