"""From the change feed to the views: fold new events into existing views.

The feed may deliver events twice, late or out of order. A view only moves forward along its own stream, and if the feed
skipped an event, the stream itself is read (I10).
"""

from __future__ import annotations

from collections.abc import Iterable

from mayfly.jobs.events import Event
from mayfly.jobs.evolve import evolve, fold
from mayfly.jobs.job import Job
from mayfly.log.event_log import EventLog
from mayfly.telemetry.job_context import bind, unbind
from mayfly.views.job_views import JobViews


async def project(events: Iterable[Event], *, log: EventLog, views: JobViews) -> int:
    """Fold events into their views and return how many views changed."""
    by_job: dict[str, list[Event]] = {}
    for event in events:
        by_job.setdefault(event.job_id, []).append(event)
    kept = await views.get_many(list(by_job))
    moved = []
    for job_id, delivered in by_job.items():
        bind(job_id, delivered[-1].attempt)  # so that an error in the fold is logged with its job
        if (job := await _caught_up(kept.get(job_id), delivered, log)) is not None:
            moved.append(job)
    unbind()
    if moved:
        await views.save(moved)
    return len(moved)


async def rebuild(*, log: EventLog, views: JobViews) -> int:
    """Rebuild every view from the first event and return how many events were read."""
    await views.clear()
    position = count = 0
    while batch := await log.read_all(after=position):
        await project([recorded.event for recorded in batch], log=log, views=views)
        position = batch[-1].global_position
        count += len(batch)
    await views.note_complete()
    return count


async def _caught_up(kept: Job | None, delivered: list[Event], log: EventLog) -> Job | None:
    """Return the job with the delivered events applied; None: none of them is new."""
    position = kept.position if kept else 0
    new = {event.position: event for event in delivered if event.position > position}
    if not new:
        return None
    job = kept
    for next_position in range(position + 1, max(new) + 1):
        if next_position not in new:
            return fold(await log.read(delivered[0].job_id, after=position), kept)
        job = evolve(job, new[next_position])
    return job
