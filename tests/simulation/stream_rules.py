"""One job's stream, compared with the true events: a second opinion that shares no code with the fold.

It receives every event as it is written, and gets the truth at that moment from the platform.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mayfly.jobs import events as e
from mayfly.jobs.retry import REFUSALS_MAX
from mayfly.jobs.spec import JobSpec

if TYPE_CHECKING:
    from tests.simulation.platform import SimulatedPlatform

TERMINAL = {"JobSucceeded": "succeeded", "JobFailed": "failed", "JobTimedOut": "timed_out", "JobCanceled": "canceled"}

_AFTER_THE_END = (
    e.LogsCaptured,
    e.MetricsSampled,
    e.ContainerDeleteRequested,
    e.ContainerGone,
    e.ContainerFound,
    e.ReportIgnored,
    e.JobArchived,
)


class Broken(Exception):
    """An invariant does not hold."""

    def __init__(self, invariant: str, what: str) -> None:
        self.invariant = invariant
        self.what = what
        super().__init__(f"{invariant} is broken: {what}")


@dataclass(kw_only=True)
class Try:
    """One attempt, as the events describe it."""

    number: int
    group: str
    requested: int
    requested_at: datetime
    start_deadline: datetime
    started_at: datetime | None = None
    claim: str | None = None
    run_deadline: datetime | None = None
    sequence: int = 0
    outcome: str | None = None
    """The name of the event that ended it."""
    success: bool = False
    ended_at: datetime | None = None
    delete_requested: bool = False
    gone: int | None = None
    found: int = 0
    once: set[str] = field(default_factory=set)


class StreamRules:
    """The rules of one stream."""

    def __init__(self, platform: SimulatedPlatform) -> None:
        self.tries: list[Try] = []
        self.terminal: str | None = None
        self.spec: JobSpec | None = None
        self.failures = 0
        self._refusals = 0
        self._refusal = ""
        self._once: set[str] = set()
        self._platform = platform

    @property
    def settled(self) -> bool:
        return self.terminal is not None and all(each.gone is not None for each in self.tries)

    @property
    def open(self) -> Try | None:
        """The attempt that is under way."""
        last = self.tries[-1] if self.tries else None
        return last if last is not None and last.outcome is None and self.terminal is None else None

    def deadline(self) -> datetime | None:
        """Return when the attempt under way must be over."""
        attempt = self.open
        if attempt is None or self.spec is None:
            return None
        if attempt.run_deadline is None and self.spec.image is not None and attempt.started_at is not None:
            return attempt.started_at + timedelta(seconds=self.spec.run_timeout_s)
        return attempt.run_deadline or attempt.start_deadline

    def take(self, event: e.Event, moment: int) -> None:
        """Check one more event.

        Errors: `Broken`.
        """
        body = event.body
        if self.terminal is not None and not isinstance(body, _AFTER_THE_END):
            raise Broken("I3", f"{event.type} at position {event.position} follows {self.terminal}")
        if isinstance(body, e.JobSubmitted):
            _require(self.spec is None, "I7", "a job was submitted twice")
            self.spec = body.spec
        elif isinstance(body, e.ContainerRequested):
            self._requested(event, body, moment)
        elif isinstance(body, e.JobArchived | e.CancelRequested):
            self._only_once(event.type)
        elif isinstance(body, e.RetryScheduled):
            self._retry()
        elif event.type in TERMINAL:
            self._end(event)
        elif not isinstance(body, e.JobHeld):
            _require(0 < event.attempt <= len(self.tries), "I7", f"{event.type} of attempt {event.attempt}")
            self._of_attempt(self.tries[event.attempt - 1], event, moment)

    def _of_attempt(self, attempt: Try, event: e.Event, moment: int) -> None:
        body = event.body
        if isinstance(body, e.ContainerGone):
            self._gone(attempt, event, moment)
        elif isinstance(body, e.ContainerFound):
            _require(attempt.gone is not None, "I5", f"{attempt.group} was found and had not been gone")
            shown = self._platform.shown.get(attempt.group, -1)
            _require(shown > (attempt.gone or 0), "I5", f"{attempt.group} was found and is not there")
            attempt.gone, attempt.found = None, moment
        elif isinstance(body, e.ContainerDeleteRequested):
            attempt.delete_requested = True
        elif isinstance(body, e.LogsCaptured | e.MetricsSampled):
            _once(attempt.once, event.type)
        elif isinstance(body, e.ReportIgnored):
            _once(attempt.once, f"ReportIgnored {body.report} {body.reason}")
        else:
            self._under_way(attempt, event)

    def _under_way(self, attempt: Try, event: e.Event) -> None:
        """Check what can only happen before the attempt has its outcome."""
        body = event.body
        _require(attempt.outcome is None, "I3", f"{event.type} of attempt {attempt.number}, after {attempt.outcome}")
        _require(attempt is self.tries[-1], "I3", f"{event.type} of attempt {attempt.number}, which is not the last")
        if isinstance(body, e.ContainerStarted):
            attempt.started_at = body.started_at or event.at
        elif isinstance(body, e.WorkerStarted):
            self._claimed(attempt, body)
        elif isinstance(body, e.WorkerProgressed):
            _require(attempt.claim is not None, "I4", "progress without a claim")
            _require(body.sequence > attempt.sequence, "I7", f"progress {body.sequence} was written again")
            attempt.sequence = body.sequence
        else:
            self._ended(attempt, event)

    def _ended(self, attempt: Try, event: e.Event) -> None:
        body = event.body
        attempt.outcome, attempt.ended_at = event.type, event.at
        if isinstance(body, e.WorkerSucceeded | e.WorkerFailed):
            _require(attempt.claim is not None, "I4", f"{event.type} without a claim")
            attempt.success = isinstance(body, e.WorkerSucceeded)
        elif isinstance(body, e.ContainerExited):
            codes = self._platform.exits.get((event.job_id, attempt.number), [])
            _require(body.exit_code in codes, "truth", f"exit code {body.exit_code}, and the platform showed {codes}")
            image = self.spec is not None and self.spec.image is not None
            attempt.success = image and body.exit_code == 0
        elif isinstance(body, e.AttemptTimedOut):
            self._timed_out(attempt, event, body)
        elif isinstance(body, e.ContainerRefused):
            _require(attempt.claim is None, "I9", "an attempt that was claimed was refused its container")
            self._refusals = self._refusals + 1 if body.refusal == "retry" else 0
            self._refusal = body.refusal
        if not attempt.success and not isinstance(body, e.ContainerRefused):
            self._failed()

    def _timed_out(self, attempt: Try, event: e.Event, body: e.AttemptTimedOut) -> None:
        if body.deadline == "start":
            _require(attempt.claim is None, "I6", "the start deadline passed on an attempt that was claimed")
            due = attempt.start_deadline
        else:
            begun = attempt.started_at or attempt.requested_at
            assert self.spec is not None
            due = attempt.run_deadline or begun + timedelta(seconds=self.spec.run_timeout_s)
        _require(event.at >= due, "I6", f"the {body.deadline} deadline passed at {event.at}, before {due}")

    def _requested(self, event: e.Event, body: e.ContainerRequested, moment: int) -> None:
        _require(event.attempt == len(self.tries) + 1, "I7", f"attempt {event.attempt} after {len(self.tries)}")
        for before in self.tries:
            _require(before.gone is not None, "I4", f"attempt {event.attempt} before {before.group} was confirmed gone")
            self._require_absent(before, "I4")
        _require(all(body.group != before.group for before in self.tries), "I4", f"{body.group} is requested again")
        last = self.tries[-1] if self.tries else None
        if last is not None:
            # A refused container is not a failed attempt; requesting another needs no permission.
            wanted = last.outcome == "ContainerRefused" or f"retry {last.number}" in self._once
            _require(wanted, "retry", f"attempt {event.attempt} follows {last.outcome} without a retry")
        self.tries.append(
            Try(
                number=event.attempt,
                group=body.group,
                requested=moment,
                requested_at=event.at,
                start_deadline=body.start_deadline,
            )
        )

    def _claimed(self, attempt: Try, body: e.WorkerStarted) -> None:
        _require(attempt.claim is None, "I4", f"attempt {attempt.number} was claimed by {attempt.claim}, then another")
        assert self.spec is not None
        earlier = any(before.claim is not None for before in self.tries[:-1])
        _require(not (self.spec.at_most_once and earlier), "I4", "a job that runs at most once was claimed twice")
        attempt.claim, attempt.run_deadline = body.claim, body.run_deadline
        self._refusals = 0

    def _gone(self, attempt: Try, event: e.Event, moment: int) -> None:
        _require(attempt.gone is None, "I7", f"{attempt.group} is gone twice")
        self._require_absent(attempt, "I5")
        attempt.gone = moment
        if attempt.outcome is None:
            attempt.outcome, attempt.ended_at = "ContainerGone", event.at
            self._failed()

    def _require_absent(self, attempt: Try, invariant: str) -> None:
        seen = self._platform.absent_seen.get(attempt.group, -1)
        _require(seen > attempt.requested, invariant, f"{attempt.group} was not confirmed gone")
        there = self._platform.groups.get(attempt.group)
        _require(there is None or there.appeared > seen, invariant, f"{attempt.group} is there all the time")

    def _failed(self) -> None:
        self.failures += 1
        assert self.spec is not None
        limit = self.spec.retry.max_attempts
        _require(self.failures <= limit, "retry", f"{self.failures} failures where {limit} are allowed")

    def _retry(self) -> None:
        last = self.tries[-1] if self.tries else None
        _require(last is not None and last.outcome is not None and not last.success, "retry", "nothing had failed")
        assert last is not None
        assert self.spec is not None
        self._only_once(f"retry {last.number}")
        _require(self.failures < self.spec.retry.max_attempts, "retry", "no attempt was left")
        claimed = any(each.claim is not None for each in self.tries)
        _require(not (self.spec.at_most_once and claimed), "retry", "a job that runs at most once had been claimed")
        codes, errors = self.spec.retry.on_exit_codes, self.spec.retry.on_errors
        _require(codes is None or errors is not None or last.outcome in _WITH_CODE, "retry", "there is no exit code")

    def _end(self, event: e.Event) -> None:
        self.terminal = event.type
        last = self.tries[-1] if self.tries else None
        succeeded = last is not None and last.success
        if isinstance(event.body, e.JobCanceled):
            _require("CancelRequested" in self._once, "truth", "canceled without a request")
            _require(not succeeded, "I3", "canceled after success")
            if last is not None and last.outcome is None:
                last.outcome, last.ended_at = event.type, event.at
            return
        assert last is not None
        if isinstance(event.body, e.JobSucceeded):
            _require(succeeded, "truth", f"succeeded after {last.outcome}")
        elif isinstance(event.body, e.JobTimedOut):
            _require(last.outcome == "AttemptTimedOut", "truth", f"timed out after {last.outcome}")
        else:
            _require(not succeeded, "truth", "failed after a success")
            if last.outcome == "ContainerRefused":
                final = self._refusal == "permanent" or self._refusals > REFUSALS_MAX
                _require(final, "I9", f"a refusal of the class {self._refusal} failed the job")

    def _only_once(self, what: str) -> None:
        _once(self._once, what)


_WITH_CODE = ("WorkerFailed", "ContainerExited")


def _require(holds: bool, invariant: str, what: str) -> None:
    if not holds:
        raise Broken(invariant, what)


def _once(seen: set[str], what: str) -> None:
    _require(what not in seen, "I7", f"{what} was written twice")
    seen.add(what)
