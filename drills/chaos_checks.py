"""What a chaos run checks beyond a demo: views against streams, and what really ran against what the log says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from drills.chaos_jobs import ChaosJob
from drills.checks import Check
from mayfly.jobs.events import Event
from mayfly.jobs.job import Job


def ends_are_right(by_id: Mapping[str, ChaosJob], jobs: Mapping[str, Job], expected: int) -> Check:
    """Every job is there once and ended as it had to."""
    faults = [f"{expected} jobs were submitted under keys of their own, and became {len(by_id)}"]
    faults = faults if len(by_id) != expected else []
    for job_id, planned in by_id.items():
        job = jobs.get(job_id)
        if job is None:
            faults.append(f"{job_id} ({planned.kind}): there is no such job")
            continue
        faults += planned.faults(job)
        if not job.settled:
            faults.append(f"{job_id} ({planned.kind}): is not settled")
    return Check(name=f"every job ended exactly as it had to ({expected} jobs)", faults=faults)


def nothing_else_was_started(by_id: Mapping[str, ChaosJob], listed: Mapping[str, Job]) -> Check:
    """No submission that was repeated has made a second job."""
    strangers = sorted(listed.keys() - by_id.keys())
    return Check(
        name="no submission started anything twice", faults=[f"{job_id} was not submitted" for job_id in strangers]
    )


def views_equal_their_streams(listed: Mapping[str, Job], folded: Mapping[str, Job]) -> Check:
    """Each job in the list is the fold of its stream (I10)."""
    faults = [f"{job_id}: is not in the list" for job_id in folded.keys() - listed.keys()]
    for job_id, job in folded.items():
        view = listed.get(job_id)
        if view is not None and view != job:
            faults.append(
                f"{job_id}: the list has {view.state} at position {view.position},"
                f" its stream {job.state} at {job.position}"
            )
    return Check(name="every view equals the fold of its stream", faults=faults)


def log_has_no_duplicates(documents: Iterable[Mapping[str, Any]], streams: Mapping[str, Sequence[Event]]) -> Check:
    """The whole log holds each stream's events once, in order, and nothing else."""
    places: dict[str, list[int]] = {}
    for document in documents:
        places.setdefault(document["job_id"], []).append(document["position"])
    faults = [
        f"{job_id}: the log has positions {positions}"
        for job_id, positions in places.items()
        if positions != [event.position for event in streams.get(job_id, ())]
    ]
    faults += [f"{job_id}: is not in the log" for job_id in streams.keys() - places.keys()]
    return Check(name="the log holds every stream once, and in order", faults=faults)


def attempts_ran_once(by_id: Mapping[str, ChaosJob], jobs: Mapping[str, Job], runs: Path) -> Check:
    """What the commands themselves have noted: none ran twice, and none was reported on that did not run.

    A claim whose answer was lost with the host, and whose deadline or cancel came before it was repeated, never ran.
    """
    ran = Counter({path.name: len(path.read_text().splitlines()) for path in runs.iterdir()})
    faults = []
    for job_id, planned in by_id.items():
        for attempt in jobs[job_id].attempts if planned.runs_a_command and job_id in jobs else ():
            times = ran.pop(f"{job_id}.{attempt.number}", 0)
            least, most = int(attempt.reported), int(attempt.claim is not None)
            if not least <= times <= most:
                faults.append(f"{job_id}: the command of attempt {attempt.number} ran {times} times")
    faults += [f"{name}: ran, and no attempt of that number is known" for name in ran]
    return Check(name="no command ran twice, and every one that was reported on ran, by their own notes", faults=faults)
