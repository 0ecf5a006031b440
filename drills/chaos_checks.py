"""Checks of a chaos run beyond those of a demo: views equal streams, and the log matches what really ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from drills.checks import Check
from drills.planned_job import PlannedJob
from mayfly.jobs.events import Event
from mayfly.jobs.job import Job


def outcomes_are_right(by_id: Mapping[str, PlannedJob], jobs: Mapping[str, Job], expected: int) -> Check:
    """Check that every job exists once and ended as expected."""
    faults = [f"{expected} idempotency keys became {len(by_id)} jobs"] if len(by_id) != expected else []
    for job_id, planned in by_id.items():
        job = jobs.get(job_id)
        if job is None:
            faults.append(f"{job_id} ({planned.name}): does not exist")
            continue
        faults += planned.faults(job)
        if not job.settled:
            faults.append(f"{job_id} ({planned.name}): is not settled")
    return Check(name=f"every job ended as expected ({expected} jobs)", faults=faults)


def no_job_is_unexpected(by_id: Mapping[str, PlannedJob], listed: Mapping[str, Job]) -> Check:
    """Check that no retried submission created a second job."""
    unexpected = sorted(listed.keys() - by_id.keys())
    return Check(name="no submission created two jobs", faults=[f"{job_id} was not submitted" for job_id in unexpected])


def views_equal_their_streams(listed: Mapping[str, Job], folded: Mapping[str, Job]) -> Check:
    """Check that each job in the list is the fold of its stream (I10)."""
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
    """Check that the whole log has the events of each stream once, in order, and no others."""
    positions_of: dict[str, list[int]] = {}
    for document in documents:
        positions_of.setdefault(document["job_id"], []).append(document["position"])
    faults = [
        f"{job_id}: the log has positions {positions}"
        for job_id, positions in positions_of.items()
        if positions != [event.position for event in streams.get(job_id, ())]
    ]
    faults += [f"{job_id}: is not in the log" for job_id in streams.keys() - positions_of.keys()]
    return Check(name="the log has every stream once and in order", faults=faults)


def attempts_ran_once(by_id: Mapping[str, PlannedJob], jobs: Mapping[str, Job], runs: Path) -> Check:
    """Check, by the files that the commands wrote, that none ran twice and that every reported one ran.

    A claimed command may never have run: its claim's answer was lost with the host, and its deadline or a cancel came
    before the claim was repeated.
    """
    ran = Counter({path.name: len(path.read_text().splitlines()) for path in runs.iterdir()})
    faults = []
    for job_id, planned in by_id.items():
        for attempt in jobs[job_id].attempts if "command" in planned.document and job_id in jobs else ():
            times = ran.pop(f"{job_id}.{attempt.number}", 0)
            least, most = int(attempt.reported), int(attempt.claim is not None)
            if not least <= times <= most:
                faults.append(f"{job_id}: the command of attempt {attempt.number} ran {times} times")
    faults += [f"{name}: ran, but there is no such attempt" for name in ran]
    return Check(name="no command ran twice, and every reported command ran", faults=faults)
