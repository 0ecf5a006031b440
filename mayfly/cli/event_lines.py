"""An event as one colored line of a terminal."""

from __future__ import annotations

from rich.text import Text

from mayfly.jobs import events as e
from mayfly.wording.events import words
from mayfly.wording.times import clock

_COLOURS: dict[str, str] = {
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
"""Kind of event and its colour; the others have none."""


def event_line(event: e.Event, *, job: str | None = None, job_width: int = 0) -> Text:
    """Return an event as one line: time, job, kind, words. `job` is what the job is called; None: its id."""
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{clock(event.at)}  ", style="bright_black")
    line.append(f"{job or event.job_id:<{job_width}}  ", style="bold")
    line.append(f"{event.type:<24}  ", style=_COLOURS.get(event.type, ""))
    line.append(words(event))
    return line
