"""Archive one job: hide it from the lists. Nothing is erased."""

from __future__ import annotations

from mayfly.app import Mayfly
from mayfly.jobs.commands import ArchiveJob
from mayfly.jobs.events import Source
from mayfly.jobs.job import Job


async def archive(mayfly: Mayfly, job_id: str, *, source: Source) -> Job:
    """Hide a finished job from the lists; an unfinished one is left unchanged. Errors: `NotFound`, `TryAgain`."""
    return (await mayfly.streams.carry_out(ArchiveJob(source=source), await mayfly.streams.load(job_id))).after
