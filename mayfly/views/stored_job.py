"""Jobs as the views store them: the same fields and pages in every store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from mayfly.clock import stamp
from mayfly.jobs.job import Job, from_json, to_json
from mayfly.views.cursor import cursor_after
from mayfly.views.job_views import Page


def latest_of(jobs: Sequence[Job]) -> Sequence[Job]:
    """Return each job once, at its latest position; of equal positions, the first."""
    latest: dict[str, Job] = {}
    for job in jobs:
        latest[job.job_id] = max(latest.get(job.job_id, job), job, key=attrgetter("position"))
    return list(latest.values())


def fields_of(job: Job) -> Mapping[str, Any]:
    """Return the fields that lists filter by, and the folded job as text, so that no number changes.

    Their names are stored: columns in SQLite, and keys in Cosmos DB. They never change.
    """
    return {
        "job_id": job.job_id,
        "position": job.position,
        "state": job.state,
        "name": job.spec.name or "",
        "submitted_at": stamp(job.submitted_at),
        "archived": job.archived,
        "settled": job.settled,
        "document": to_json(job),
    }


def page_of(documents: Sequence[str], limit: int) -> Page:
    """Return a page of the first `limit` jobs that a store found; if it found more, with a cursor."""
    jobs = [from_json(document) for document in documents[:limit]]
    return Page(jobs=jobs, cursor=cursor_after(jobs[-1]) if len(documents) > limit else None)
