"""The cursor of a list: the end of the last page, as text that is safe in a URL."""

from __future__ import annotations

import base64
from datetime import datetime

from mayfly.clock import stamp
from mayfly.jobs.job import Job
from mayfly.jobs.names import is_job_id


def cursor_after(job: Job) -> str:
    """Return the cursor of a page that ends with this job."""
    text = f"{stamp(job.submitted_at)}|{job.job_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def parse_cursor(cursor: str) -> tuple[str, str]:
    """Return (submitted_at as ISO 8601, job id).

    Errors: ValueError for any text that `cursor_after` did not return.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        at, _, job_id = text.partition("|")
        datetime.fromisoformat(at)
        if not is_job_id(job_id):
            raise ValueError(job_id)
    except ValueError as error:
        raise ValueError("must be a cursor that an earlier page returned") from error
    return at, job_id
