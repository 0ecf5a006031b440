"""Sample events: one of every kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mayfly.jobs import events as e
from mayfly.jobs.spec import JobSpec, RetryPolicy

T0 = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
JOB_ID = "ada-abcdefghij"
CLAIM = "a" * 32
OTHER_CLAIM = "b" * 32

SPEC = JobSpec(
    command=("python", "-c", "print('hi')"),
    name="resize",
    env={"SIZE": "big"},
    secrets={"DB_PASSWORD": "db-password"},
    labels={"team": "blue"},
    retry=RetryPolicy(max_attempts=3, on_exit_codes=(1, 2), on_errors=("signal",)),
)

ONE_OF_EACH: tuple[e.Body, ...] = (
    e.JobSubmitted(spec=SPEC, idempotency_key="order-17"),
    e.JobHeld(reason="3 of 3 in use", until=T0),
    e.ContainerRequested(
        group=f"{JOB_ID}-1-local", place="local", image=None, cpu=1.0, memory_gb=1.5, start_deadline=T0
    ),
    e.ContainerRefused(refusal="wait", code="QuotaReached", message="no cores left", hint="wait"),
    e.ContainerStarted(started_at=T0, pulling_at=T0),
    e.WorkerStarted(claim=CLAIM, run_deadline=T0),
    e.WorkerProgressed(sequence=3, fraction=0.25, message="a quarter"),
    e.WorkerSucceeded(
        result={"sum": 3, "parts": [1, 2.5, None, True, "é\x00"]},
        exit_code=0,
        output_tail="done\n",
        cpu_s=0.5,
        memory_peak_bytes=1 << 33,
    ),
    e.WorkerFailed(
        error="exit", message="exit code 2", exit_code=2, output_tail="", cpu_s=None, memory_peak_bytes=None
    ),
    e.ContainerExited(exit_code=None, detail="killed from outside"),
    e.AttemptTimedOut(deadline="run"),
    e.LogsCaptured(text="line\n\x00\x1b[31m", truncated=True),
    e.MetricsSampled(samples=((T0, 0.5, 1_000), (T0 + timedelta(seconds=1), 0.75, 2_000))),
    e.RetryScheduled(at=T0, reason="exit code 2"),
    e.CancelRequested(reason=None),
    e.ContainerDeleteRequested(group=f"{JOB_ID}-1-local"),
    e.ContainerGone(group=f"{JOB_ID}-1-local"),
    e.ContainerFound(group=f"{JOB_ID}-1-local"),
    e.ReportIgnored(report="finished", reason="attempt_over", claim=OTHER_CLAIM),
    e.JobSucceeded(),
    e.JobFailed(error="container_lost", message="gone"),
    e.JobTimedOut(deadline="start"),
    e.JobCanceled(),
    e.JobArchived(),
)


def event(body: e.Body, position: int = 1, *, job_id: str = JOB_ID, attempt: int = 0, after_s: float = 0) -> e.Event:
    """Return one entry of a stream."""
    at = T0 + timedelta(seconds=after_s)
    return e.Event(job_id=job_id, position=position, at=at, attempt=attempt, source="http", body=body)


def opening(job_id: str = JOB_ID, *, spec: JobSpec | None = None, after_s: float = 0) -> e.Event:
    """Return the first event of a stream."""
    return event(e.JobSubmitted(spec=spec or JobSpec(message="hi")), job_id=job_id, after_s=after_s)


def job_id_numbered(number: int) -> str:
    """Return a different job id for each number below 32 to the power of 10.

    >>> job_id_numbered(1)
    'ada-aaaaaaaaab'
    """
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    text = ""
    for _ in range(10):
        number, digit = divmod(number, 32)
        text = letters[digit] + text
    return f"ada-{text}"
