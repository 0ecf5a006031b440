"""The states of a job and of its container, and every transition between them.

Rules
1. A job has one state. Only the events in `TRANSITIONS` change it; nothing else in Mayfly assigns a state.
2. `TERMINAL` states have no exit (I3). Later events in the stream concern the container or the archive.
3. An event in neither `TRANSITIONS` nor `STAY` of a state cannot happen in that state; applying it is an error.
4. The container has a separate status (`ContainerFact`): a job can be over before its container is gone (I5).
5. `python -m mayfly.jobs.lifecycle > docs/lifecycle.md` generates the page; a test fails if it is stale.

Each state corresponds to a status of the sample `aci-event-driven-worker-queue`: queued to the yellow Pending, starting
and running to the blue InProgress, succeeded to the green Done, failed and timed_out to the red Error. Gray: canceled.
"""

from __future__ import annotations

from typing import Literal, get_args

from mayfly.jobs.events import KINDS

JobState = Literal["queued", "starting", "running", "succeeded", "failed", "timed_out", "canceled"]
ContainerFact = Literal["none", "requested", "present", "deleting", "gone"]

STATES: tuple[JobState, ...] = get_args(JobState)
TERMINAL: frozenset[JobState] = frozenset({"succeeded", "failed", "timed_out", "canceled"})
OPEN: frozenset[JobState] = frozenset(STATES) - TERMINAL

_ENDS: dict[str, JobState] = {"JobFailed": "failed", "JobTimedOut": "timed_out", "JobCanceled": "canceled"}

TRANSITIONS: dict[JobState, dict[str, JobState]] = {
    "queued": {"ContainerRequested": "starting", "JobCanceled": "canceled"},
    "starting": {
        "ContainerStarted": "running",
        "WorkerStarted": "running",
        "RetryScheduled": "queued",
        "JobHeld": "queued",
        "JobSucceeded": "succeeded",
        **_ENDS,
    },
    "running": {"RetryScheduled": "queued", "JobSucceeded": "succeeded", **_ENDS},
    **{state: {} for state in TERMINAL},
}
"""By state and kind of event, the next state. `JobSubmitted` opens the stream in the state `queued`."""

_CLEANING = {"LogsCaptured", "MetricsSampled", "ContainerDeleteRequested", "ContainerGone", "ContainerFound"}
_ANY_TIME = frozenset({*_CLEANING, "ReportIgnored", "JobArchived"})
_WORKER = {"WorkerStarted", "WorkerProgressed", "WorkerSucceeded", "WorkerFailed"}
_ATTEMPT = frozenset({*_WORKER, "ContainerExited", "AttemptTimedOut", "CancelRequested"})
STAY: dict[JobState, frozenset[str]] = {
    "queued": _ANY_TIME | {"JobHeld", "CancelRequested"},
    "starting": _ANY_TIME | _ATTEMPT | {"ContainerRefused"},
    "running": _ANY_TIME | _ATTEMPT | {"ContainerStarted"},
    **dict.fromkeys(TERMINAL, _ANY_TIME),
}
"""By state, the kinds of events that may occur without changing it."""

CONTAINER_FACTS: dict[str, ContainerFact] = {
    "ContainerRequested": "requested",
    "ContainerStarted": "present",
    "WorkerStarted": "present",
    "ContainerExited": "present",
    "ContainerDeleteRequested": "deleting",
    "ContainerGone": "gone",
    "ContainerFound": "present",
}
"""By kind of event, the status of the attempt's container after it."""


_STORY = """\
A job opens its stream with `JobSubmitted` and is **queued**: `nightly-resize` is accepted and waits to be placed. If a
limit is reached, the job stays queued and records the reason; with all 100 cores of a region in use, `JobHeld` gives
that count and the time of the next try. Once admission finds room, Mayfly records `ContainerRequested`, requests a
container group, and the job is **starting**. The platform may refuse: a region without capacity sends the job back to
queued and on to the next region, while an image that does not exist ends it as **failed**.

When the worker in the container claims the attempt with `WorkerStarted`, the job is **running**, and no second
container can claim the same attempt. While it runs, `WorkerProgressed` reports "40%, resizing" or is a plain heartbeat.
A worker that reports a result ends the job as **succeeded**: the resized images are counted in its result.

A command that exits with code 75 ends the attempt; if the retry policy covers that code, `RetryScheduled` returns the
job to queued, and otherwise it ends as failed. A worker that is still busy when its run deadline passes leads to
**timed_out**, unless another attempt is allowed. A user who cancels the job before any of these outcomes makes it
**canceled**.

An outcome is final as soon as it is recorded, even if the container still exists and even if a late report arrives.
Mayfly then saves the container's output, deletes the container, and checks until the platform confirms with
`ContainerGone` that it no longer exists.
"""
"""The life of a job, with an example for each state: the introduction of docs/lifecycle.md."""


def next_state(state: JobState, kind: str) -> JobState | None:
    """Return the state after an event of this kind; None: the event cannot occur in this state.

    >>> next_state("running", "JobSucceeded"), next_state("running", "WorkerProgressed")
    ('succeeded', 'running')
    >>> next_state("succeeded", "JobFailed") is None
    True
    """
    return TRANSITIONS[state].get(kind, state if kind in STAY[state] else None)


def diagram() -> str:
    """Return the lifecycle as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> queued: JobSubmitted"]
    for state, row in TRANSITIONS.items():
        targets: dict[JobState, list[str]] = {}
        for kind, target in row.items():
            targets.setdefault(target, []).append(kind)
        lines += [f"    {state} --> {target}: {', '.join(kinds)}" for target, kinds in targets.items()]
    lines += [f"    {state} --> [*]" for state in STATES if state in TERMINAL]
    return "\n".join(lines)


def page() -> str:
    """Return the whole text of docs/lifecycle.md."""
    facts = "\n".join(f"| `{kind}` | {fact} |" for kind, fact in CONTAINER_FACTS.items())
    meanings = "\n".join(f"| `{name}` | {(kind.__doc__ or '').strip()} |" for name, kind in KINDS.items())
    return (
        "<!-- Generated by `python -m mayfly.jobs.lifecycle`; do not edit. -->\n"
        "# The lifecycle of a job\n\n"
        f"{_STORY}\n"
        "## States\n\n"
        f"```mermaid\n{diagram()}\n```\n\n"
        "Separately from its state, a job records the status of each attempt's container:\n\n"
        f"| event | container |\n|---|---|\n{facts}\n\n"
        "## Events\n\n"
        f"| event | meaning |\n|---|---|\n{meanings}\n"
    )


if __name__ == "__main__":
    print(page(), end="")
