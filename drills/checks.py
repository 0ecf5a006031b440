"""The checks that `demo` and `chaos` end with.

A check has a name, which states a fact, and the faults that contradict it.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from drills.orphans import described, processes_of_jobs, processes_on
from mayfly.cli.screen import mark
from mayfly.jobs.events import Event
from mayfly.jobs.job import Job
from mayfly.wording.text import printable

_SHOWN_MAX = 5
_LEAVE_WITHIN_S = 60.0
"""Much longer than a busy machine needs to remove a killed process."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One fact that must be true; `faults` is empty if it is."""

    name: str
    faults: Sequence[str]

    @property
    def ok(self) -> bool:
        """True: there are no faults."""
        return not self.faults


def conclude(
    screen: Console, checks: Sequence[Check], *, drill: str, success: str, begun: float, note: str = ""
) -> None:
    """Print each check with its first faults, and the verdict. `begun` is a time of `time.monotonic`.

    Errors: `typer.Exit` with code 1 if a check failed.
    """
    for check in checks:
        screen.print(Text.assemble(mark(check.ok), " ", check.name))
        for fault in check.faults[:_SHOWN_MAX]:
            screen.print(Text(f"    {printable(fault)}", style="red"))
        if len(check.faults) > _SHOWN_MAX:
            screen.print(Text(f"    and {len(check.faults) - _SHOWN_MAX} more", style="red"))
    seconds = f"{time.monotonic() - begun:.1f} s{note}"
    if failed := sum(not check.ok for check in checks):
        verdict = f"{drill} FAILED: {failed} of {len(checks)} checks failed, after {seconds}"
        screen.print(Text(f"\n{verdict}", style="bold red"))
        raise typer.Exit(1)
    screen.print(Text(f"\n{drill} passed: {success}, in {seconds}", style="bold green"))


def streams_are_gapless(streams: Mapping[str, Sequence[Event]]) -> Check:
    """Check that the positions of every stream are 1 to n, each once (I2)."""
    faults = []
    for job_id, events in streams.items():
        positions = [event.position for event in events]
        if not positions or positions != list(range(1, len(positions) + 1)):
            faults.append(f"{job_id}: positions {positions}")
    count = sum(map(len, streams.values()))
    name = f"every stream is gapless from 1 and without duplicates ({len(streams)} streams, {count} events)"
    return Check(name=name, faults=faults)


def attempts_are_claimed_once(streams: Mapping[str, Sequence[Event]]) -> Check:
    """Check that no attempt has two claims, and that every reported attempt has one (I4)."""
    faults = []
    total = 0
    for job_id, events in streams.items():
        claims = Counter(event.attempt for event in events if event.type == "WorkerStarted")
        reported = {event.attempt for event in events if event.type in ("WorkerSucceeded", "WorkerFailed")}
        total += sum(claims.values())
        faults += [f"{job_id}: attempt {n} was claimed {times} times" for n, times in claims.items() if times > 1]
        faults += [f"{job_id}: attempt {n} was reported without a claim" for n in sorted(reported - claims.keys())]
    return Check(name=f"every attempt was claimed by one worker and no other ({total} claims)", faults=faults)


def containers_are_gone(jobs: Mapping[str, Job]) -> Check:
    """Check that every requested container is confirmed gone (I5)."""
    faults = [
        f"{job.job_id}: container {attempt.group} is {attempt.container}"
        for job in jobs.values()
        for attempt in job.attempts
        if attempt.container != "gone"
    ]
    total = sum(len(job.attempts) for job in jobs.values())
    return Check(name=f"every requested container was confirmed deleted ({total} containers)", faults=faults)


def no_container_directory_is_left(data: Path) -> Check:
    """Check that no container directory is left."""
    root = data / "containers"
    # A name with a dot is a directory that was being created or deleted when a host was killed; it is removed later.
    left = sorted(name for name in os.listdir(root) if not name.startswith(".")) if root.exists() else []
    return Check(name="no container directory is left", faults=left)


def no_process_is_left(data: Path) -> Check:
    """Check that no process is left that a job of this data folder started, directly or indirectly."""
    return Check(name="no process of a job is left", faults=_until_empty(lambda: processes_of_jobs(data)))


def host_stops_cleanly(stop: Callable[[], bool], data: Path) -> Check:
    """Stop the host. Check that it stops when asked, and that no other process of its data folder is left."""
    begun = time.monotonic()
    faults = [] if stop() else ["it did not stop and was killed"]
    name = f"the host stopped cleanly ({time.monotonic() - begun:.1f} s) and left no process"
    return Check(name=name, faults=[*faults, *_until_empty(lambda: processes_on(data))])


def _until_empty(list_processes: Callable[[], Sequence[int]]) -> list[str]:
    """Wait until the list is empty, because a killed process is listed until it is reaped; return what is left."""
    give_up = time.monotonic() + _LEAVE_WITHIN_S
    while (left := list_processes()) and time.monotonic() < give_up:
        time.sleep(0.05)
    return [described(pid) for pid in left]
