"""Archive one job: hide it from the lists. Nothing is erased."""

from __future__ import annotations

from mayfly.app import Mayfly
from mayfly.jobs.commands import ArchiveJob
from mayfly.jobs.events import Source
from mayfly.jobs.job import Job


async def archive(mayfly: Mayfly, job_id: str, *, source: Source) -> Job:
    """Hide a job that is over from the lists; one that is not stays as it is.

    Errors: `NotFound`, `TryAgain`.
    """
    return (await mayfly.streams.carry_out(ArchiveJob(source=source), await mayfly.streams.load(job_id))).after
