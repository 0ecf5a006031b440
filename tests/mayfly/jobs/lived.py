"""Jobs after a list of commands."""

from __future__ import annotations

from datetime import timedelta

from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.jobs.decide import decide, submit
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.jobs.spec import JobSpec, RetryPolicy
from tests.mayfly.jobs.samples import CLAIM, JOB_ID, T0


def lived(*commands: c.Command, every_s: float = 10) -> Job:
    """Return a job after these commands, at even intervals."""
    spec = JobSpec(message="hi", retry=RetryPolicy(max_attempts=2, backoff_s=0))
    stream = [*submit(c.SubmitJob(job_id=JOB_ID, spec=spec, source="http"), T0).events]
    for number, command in enumerate(commands, 1):
        job = fold(stream)
        assert job is not None
        stream += decide(job, command, T0 + timedelta(seconds=number * every_s)).events
    job = fold(stream)
    assert job is not None
    return job


def done(attempt: int) -> list[c.Command]:
    return [c.RequestDelete(attempt=attempt, log_text=None), c.ConfirmGone(attempt=attempt)]


FAILED_THEN_SUCCEEDED = lived(
    c.RequestContainer(place="local"),
    c.ClaimAttempt(attempt=1, claim=CLAIM),
    c.ReportWork(attempt=1, claim=CLAIM, body=e.WorkerFailed(error="exit", message="no", exit_code=1, output_tail="")),
    *done(1),
    c.RequestContainer(place="local"),
    c.ClaimAttempt(attempt=2, claim=CLAIM),
    c.ReportWork(attempt=2, claim=CLAIM, body=e.WorkerSucceeded(result=None, exit_code=0, output_tail="")),
    *done(2),
)
