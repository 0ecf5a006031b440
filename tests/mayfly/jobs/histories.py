"""Generated histories of a job: commands in any order and at any time, from the worker, the platform and people.

Most commands name the current attempt and claim, so that a history makes progress; the others are early, late or from
another worker. A history is drawn as a list of integers. Each is decoded into one command for the job at that point,
because integers are fast to draw and shrink to the fewest and simplest commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from hypothesis import strategies as st

from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.jobs.decide import decide, submit
from mayfly.jobs.evolve import evolve, fold
from mayfly.jobs.job import Job
from mayfly.jobs.refusal import Refusal
from mayfly.jobs.spec import ErrorClass, JobSpec, RetryPolicy
from tests.mayfly.jobs.samples import CLAIM, JOB_ID, OTHER_CLAIM, T0

_ERRORS: tuple[ErrorClass, ...] = ("exit", "signal", "worker", "container_lost")
_PAUSES_S = (0, 0.5, 5, 31, 120, 2_000)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command and its result."""

    before: Job
    command: c.Command
    now: datetime
    events: Sequence[e.Event]
    after: Job


@dataclass(frozen=True, kw_only=True, repr=False)
class History:
    """A stream's first event and the commands that followed."""

    opening: e.Event
    steps: list[Step]

    def __repr__(self) -> str:
        """Summarize the history for the report of a failed test."""
        steps = [
            f"{(step.now - T0).total_seconds():g}s {step.command} -> {[event.type for event in step.events]}"
            for step in self.steps
            if step.events or step is self.steps[-1]
        ]
        spec = self.steps[0].before.spec.model_dump(exclude_defaults=True) if steps else "no job"
        return f"<history of {spec}: {steps}>"

    @property
    def events(self) -> list[e.Event]:
        """The whole stream."""
        return [self.opening, *(event for step in self.steps for event in step.events)]

    @property
    def jobs(self) -> list[Job]:
        """The job after its submission and after each command."""
        return [evolve(None, self.opening), *(step.after for step in self.steps)]

    @property
    def last(self) -> Job:
        return self.jobs[-1]


specs = st.builds(
    JobSpec,
    command=st.just(("true",)),
    image=st.sampled_from([None, None, "busybox:1.36"]),
    start_timeout_s=st.sampled_from([1.0, 60.0, 1_800.0]),
    run_timeout_s=st.sampled_from([1.0, 60.0, 3_600.0]),
    at_most_once=st.sampled_from([False, False, True]),
    retry=st.builds(
        RetryPolicy,
        max_attempts=st.sampled_from([1, 2, 4]),
        backoff_s=st.sampled_from([0.0, 10.0]),
        on_exit_codes=st.sampled_from([None, None, (1,)]),
        on_errors=st.sampled_from([None, None, ("signal", "start_timeout")]),
    ),
)


def live(spec: JobSpec, moves: Sequence[int]) -> History:
    """Return the history that these numbers encode."""
    now = T0
    first = submit(c.SubmitJob(job_id=JOB_ID, spec=spec, source="http"), now).events[0]
    job = evolve(None, first)
    steps: list[Step] = []
    for move in moves:
        digits = _Digits(move)
        command_number = digits.below(len(_FORWARD) * 2 + len(_ASIDE))
        now += timedelta(seconds=digits.one_of(_PAUSES_S))
        kinds = (*_FORWARD, *_FORWARD, *_ASIDE)
        command = _command(kinds[command_number], digits, job, now)
        events = decide(job, command, now).events
        after = fold(events, job)
        assert after is not None
        steps.append(Step(before=job, command=command, now=now, events=events, after=after))
        job = after
    return History(opening=first, steps=steps)


def histories(*, steps_max: int = 40) -> st.SearchStrategy[History]:
    """Draw a spec and up to `steps_max` commands, each decided on the job as it then was."""
    return st.builds(live, specs, st.lists(st.integers(0, 2**32 - 1), max_size=steps_max))


class _Digits:
    """A number, read digit by digit; each digit may have a different base."""

    def __init__(self, number: int) -> None:
        self._rest = number

    def below(self, base: int) -> int:
        self._rest, digit = divmod(self._rest, base)
        return digit

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]


_Kind = type[c.Command | e.WorkerProgressed | e.WorkerSucceeded | e.WorkerFailed]
"""A command; in place of `ReportWork`, the body that it reports."""
_FORWARD: tuple[_Kind, ...] = (
    c.RequestContainer,
    c.ClaimAttempt,
    e.WorkerFailed,
    c.RequestDelete,
    c.ConfirmGone,
    c.RefuseContainer,
    c.ObserveContainer,
)
_ASIDE: tuple[_Kind, ...] = (
    c.ExpireDeadline,
    e.WorkerProgressed,
    e.WorkerSucceeded,
    c.HoldJob,
    c.NoteFound,
    c.RequestCancel,
    c.ArchiveJob,
)


def _command(kind: _Kind, digits: _Digits, job: Job, now: datetime) -> c.Command:
    latest = len(job.attempts)
    attempt = digits.one_of([latest, latest, latest, 1, latest + 1, 0])
    known = job.attempt.claim if job.attempt and job.attempt.claim else CLAIM
    claim = digits.one_of([known, known, known, CLAIM, OTHER_CLAIM])
    if kind is c.RequestContainer:
        return c.RequestContainer(place="local")
    if kind is c.ClaimAttempt:
        return c.ClaimAttempt(attempt=attempt, claim=claim)
    if kind is e.WorkerProgressed:
        fraction = digits.one_of([None, 0.5])
        return c.ReportWork(
            attempt=attempt,
            claim=claim,
            body=e.WorkerProgressed(sequence=1 + digits.below(5), fraction=fraction, message="on it"),
        )
    if kind is e.WorkerSucceeded:
        result = digits.one_of([None, 3, {"a": [1]}])
        return c.ReportWork(
            attempt=attempt,
            claim=claim,
            body=e.WorkerSucceeded(result=result, exit_code=digits.one_of([0, None]), output_tail="out"),
        )
    if kind is e.WorkerFailed:
        return c.ReportWork(
            attempt=attempt,
            claim=claim,
            body=e.WorkerFailed(
                error=digits.one_of(_ERRORS),
                message="it broke",
                exit_code=digits.one_of([1, 2, None]),
                output_tail="out",
            ),
        )
    if kind is c.ObserveContainer:
        return c.ObserveContainer(
            attempt=attempt,
            seen=digits.one_of(["running", "exited", "gone", "pending"]),
            exit_code=digits.one_of([0, 1, 2, None]),
            started_at=digits.one_of([None, now]),
            pulling_at=digits.one_of([None, now - timedelta(seconds=2)]),
            detail=digits.one_of(["", "killed"]),
        )
    if kind is c.RefuseContainer:
        return c.RefuseContainer(
            attempt=attempt,
            refusal=Refusal(
                kind=digits.one_of(["retry", "wait", "retry", "relocate", "retry", "permanent"]),
                code="Refused",
                message="no",
                hint="ask again",
                retry_after_s=digits.one_of([None, 3.0]),
            ),
        )
    if kind is c.RequestDelete:
        samples = digits.one_of([(), ((T0, 0.5, 1),)])
        return c.RequestDelete(attempt=attempt, log_text=digits.one_of([None, "", "text"]), samples=samples)
    if kind is c.ConfirmGone:
        return c.ConfirmGone(attempt=attempt)
    if kind is c.NoteFound:
        return c.NoteFound(attempt=attempt)
    if kind is c.HoldJob:
        return c.HoldJob(reason="full", until=now + timedelta(seconds=7))
    if kind is c.RequestCancel:
        return c.RequestCancel(source="http")
    return c.ArchiveJob(source="http") if kind is c.ArchiveJob else c.ExpireDeadline()
