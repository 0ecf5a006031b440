"""Submit a job: check the spec, write `JobSubmitted`, start its orchestrator.

The append at position 0 is the gate: of any number of submissions with one idempotency key exactly one opens the
stream, and the others find it. If the process ends between the append and the start, the reconciler starts it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mayfly.app import Mayfly
from mayfly.errors import FieldError, Rejected, TryAgain
from mayfly.jobs.commands import SubmitJob
from mayfly.jobs.events import Source
from mayfly.jobs.job import Job
from mayfly.jobs.names import job_id_for
from mayfly.jobs.spec import JobSpec
from mayfly.orchestrators import Orchestrators
from mayfly.validation import validated

KEY_CHARS_MAX = 255

_logger = logging.getLogger("mayfly.use_cases.submit")


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    job: Job
    created: bool
    """False: the same key had been used before, and this is its job."""


def parse_spec(document: Mapping[str, Any]) -> JobSpec:
    """Return the spec in a JSON object.

    Errors: `Rejected` (422), a `FieldError` for each mistake.
    """
    return validated(JobSpec, document, title="this is not a job")


async def submit(
    mayfly: Mayfly,
    orchestrators: Orchestrators,
    spec: JobSpec,
    *,
    source: Source,
    idempotency_key: str | None = None,
) -> Submission:
    """Open the job's stream and start its orchestrator.

    Errors: `Rejected` for a key that is empty, too long, or was used with another spec.
    """
    if idempotency_key is not None:
        _check_key(idempotency_key)
    seed = secrets.token_bytes(16) if idempotency_key is None else idempotency_key.encode("utf-8", "surrogatepass")
    # A key alone makes the id, so that the same key finds its job whatever name the second spec has.
    job_id = job_id_for(seed=seed, name=spec.name if idempotency_key is None else None)
    command = SubmitJob(job_id=job_id, spec=spec, source=source, idempotency_key=idempotency_key)
    job = await mayfly.streams.open(command)
    created = job is not None
    if job is None:
        job = await mayfly.streams.load(job_id)
        _check_same(job, spec, idempotency_key)
    if job.position == 1:
        try:
            await orchestrators.start(job_id)
        except TryAgain as error:
            _logger.warning("starting %s: %s; the reconciler will", job_id, error)
    return Submission(job=job, created=created)


def _check_key(key: str) -> None:
    if not 0 < len(key) <= KEY_CHARS_MAX or not key.isprintable():
        message = f"must be 1 to {KEY_CHARS_MAX} printable characters (got {len(key)})"
        raise Rejected(
            "the idempotency key cannot be used", [FieldError(field="header.Idempotency-Key", message=message)]
        )


def _check_same(job: Job, spec: JobSpec, key: str | None) -> None:
    if job.idempotency_key == key and key is not None and job.spec == spec:
        return
    message = f"was used for {job.job_id} with another spec: use a new key for a new job"
    raise Rejected("the idempotency key is taken", [FieldError(field="header.Idempotency-Key", message=message)])
