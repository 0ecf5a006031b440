"""The states of a job and of its container, and every way from one to another.

Rules
1. A job has one state. Only the events in `TRANSITIONS` move it; nothing else in Mayfly assigns a state.
2. `TERMINAL` states have no way out (I3). What follows them in a stream concerns the container or the archive.
3. An event that is in no row of its state and not in `STAY` cannot happen there: applying it is an error, not a shrug.
4. Beside the state stands the container's own fact (`ContainerFact`): a job can be over before its container
   is (I5).
5. The diagram in docs/lifecycle.md is generated from these tables (`python -m mayfly.jobs.lifecycle`), and a test says
   when it is stale.

The names of the states are the sample's colours in words: queued is its yellow Pending, starting and running its blue
InProgress, succeeded its green Done, failed and timed_out its red Error; canceled is grey.
"""

from __future__ import annotations

from typing import Literal

from mayfly.jobs.events import KINDS

JobState = Literal["queued", "starting", "running", "succeeded", "failed", "timed_out", "canceled"]
ContainerFact = Literal["none", "requested", "present", "deleting", "gone"]

STATES: tuple[JobState, ...] = (
    "queued",
    "starting",
    "running",
    "succeeded",
    "failed",
    "timed_out",
    "canceled",
)
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
    "succeeded": {},
    "failed": {},
    "timed_out": {},
    "canceled": {},
}
"""State, kind of event, next state. `JobSubmitted` opens the stream and leads to `queued`."""

_CLEANING = frozenset(
    {
        "LogsCaptured",
        "MetricsSampled",
        "ContainerDeleteRequested",
        "ContainerGone",
        "ContainerFound",
        "ReportIgnored",
        "JobArchived",
    }
)
_ATTEMPT = frozenset(
    {
        "WorkerStarted",
        "WorkerProgressed",
        "WorkerSucceeded",
        "WorkerFailed",
        "ContainerExited",
        "AttemptTimedOut",
        "CancelRequested",
    }
)
STAY: dict[JobState, frozenset[str]] = {
    "queued": _CLEANING | {"JobHeld", "CancelRequested"},
    "starting": _CLEANING | _ATTEMPT | {"ContainerRefused"},
    "running": _CLEANING | _ATTEMPT | {"ContainerStarted"},
    "succeeded": _CLEANING,
    "failed": _CLEANING,
    "timed_out": _CLEANING,
    "canceled": _CLEANING,
}
"""State and the kinds of events that may come in it without moving it."""

CONTAINER_FACTS: dict[str, ContainerFact] = {
    "ContainerRequested": "requested",
    "ContainerStarted": "present",
    "WorkerStarted": "present",
    "ContainerExited": "present",
    "ContainerDeleteRequested": "deleting",
    "ContainerGone": "gone",
    "ContainerFound": "present",
}
"""Kind of event and what it says of the container of its attempt."""


def next_state(state: JobState, kind: str) -> JobState | None:
    """Return the state after an event of this kind; None when it cannot come in this state.

    >>> next_state("running", "JobSucceeded"), next_state("running", "WorkerProgressed")
    ('succeeded', 'running')
    >>> next_state("succeeded", "JobFailed") is None
    True
    """
    moved = TRANSITIONS[state].get(kind)
    if moved is not None:
        return moved
    return state if kind in STAY[state] else None


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


_STORY = """\
A job is submitted and becomes `queued`. If a quota or a rate is used up, it is held: `JobHeld` records the reason and
when it will be tried again. Once admitted, it is `starting`: `ContainerRequested` is written first, and then the
platform is called. A refusal returns the job to `queued`, unless it is permanent or repeated too often.

The worker claims the attempt with `WorkerStarted`, and the job is `running`. It reports progress, and finally success
or failure. An attempt also ends if a deadline passes, or if the platform reports that the container ended. If the retry
policy allows another attempt, `RetryScheduled` returns the job to `queued`; the next container is requested only after
the previous one is confirmed gone. Otherwise one of the four outcomes follows, and it is final.

The container is deleted after the outcome. Its output and metrics are captured first, and the job is settled once the
platform confirms that the container is gone.
"""


def page() -> str:
    """Return docs/lifecycle.md."""
    facts = "\n".join(f"| `{kind}` | {fact} |" for kind, fact in CONTAINER_FACTS.items())
    meanings = "\n".join(f"| `{name}` | {(kind.__doc__ or '').strip()} |" for name, kind in KINDS.items())
    return (
        "<!-- Generated by `python -m mayfly.jobs.lifecycle`; do not edit. -->\n"
        "# The lifecycle of a job\n\n"
        f"{_STORY}\n"
        f"```mermaid\n{diagram()}\n```\n\n"
        "In addition to its state, a job tracks the container of its attempt:\n\n"
        f"| event | the container is |\n|---|---|\n{facts}\n\n"
        "## Events\n\n"
        f"| event | meaning |\n|---|---|\n{meanings}\n"
    )


if __name__ == "__main__":
    print(page(), end="")
