"""Submit a job: validate the spec, write `JobSubmitted`, start the orchestrator.

The append at position 0 decides: of any number of submissions with the same idempotency key, exactly one opens the
stream and the others find it. If the process ends before it starts the orchestrator, the reconciler does so.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mayfly.app import Mayfly
from mayfly.errors import Rejected, TryAgain
from mayfly.jobs.commands import SubmitJob
from mayfly.jobs.events import Source
from mayfly.jobs.job import Job
from mayfly.jobs.names import job_id_for
from mayfly.jobs.spec import JobSpec
from mayfly.orchestrators import Orchestrators
from mayfly.validation import validated

KEY_CHARS_MAX = 255
_KEY_FIELD = "header.Idempotency-Key"

_logger = logging.getLogger("mayfly.use_cases.submit")


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """The job of a submission."""

    job: Job
    created: bool
    """False: the idempotency key was used before, and this is its job."""


def parse_spec(document: Mapping[str, Any]) -> JobSpec:
    """Return a JSON object as a spec. Errors: `Rejected` (422), with a `FieldError` for each mistake."""
    return validated(JobSpec, document, title="invalid job spec")


async def submit(
    mayfly: Mayfly, orchestrators: Orchestrators, spec: JobSpec, *, source: Source, idempotency_key: str | None = None
) -> Submission:
    """Open the job's stream and start its orchestrator.

    Errors: `Rejected` for a key that is empty, too long, or was used with a different spec; `TryAgain`.
    """
    if idempotency_key is not None and not (
        0 < len(idempotency_key) <= KEY_CHARS_MAX and idempotency_key.isprintable()
    ):
        message = f"must be 1 to {KEY_CHARS_MAX} printable characters (got {len(idempotency_key)})"
        raise Rejected.of_field("invalid idempotency key", _KEY_FIELD, message)
    seed = secrets.token_bytes(16) if idempotency_key is None else idempotency_key.encode("utf-8", "surrogatepass")
    # With a key, the id depends on the key alone, so that the key finds its job even if the name differs.
    job_id = job_id_for(seed=seed, name=spec.name if idempotency_key is None else None)
    command = SubmitJob(job_id=job_id, spec=spec, source=source, idempotency_key=idempotency_key)
    job = await mayfly.streams.open(command)
    created = job is not None
    if job is None:
        job = await mayfly.streams.load(job_id)
        if idempotency_key is None or job.idempotency_key != idempotency_key or job.spec != spec:
            message = f"was used for {job_id} with a different spec: use a new key for a new job"
            raise Rejected.of_field("idempotency key already used", _KEY_FIELD, message)
    if job.position == 1:
        try:
            await orchestrators.start(job_id)
        except TryAgain as error:
            _logger.warning("starting %s: %s; the reconciler will start it", job_id, error)
    return Submission(job=job, created=created)
