"""The invariants of the architecture, checked at each step, whenever the world is idle, and at the end.

Violations are kept in `broken` and not raised at once, because the code under test may rightly catch exceptions of the
ports; the schedule checks `broken` after every step.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from local_host.durable.engine import Completion
from local_host.durable.hub import FAILED, FINISHED, Filter
from mayfly.containers.runtime import GroupRequest
from mayfly.jobs.events import Event, to_document
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.jobs.reports import Verdict
from mayfly.use_cases.submit import Submission
from tests.simulation.stream_rules import TERMINAL, Broken, StreamRules

if TYPE_CHECKING:
    from tests.simulation.world import World

SECRET_VALUE = "v4lue-0f-a-s3cret"
_SPINS_MAX = 30
_SPINS_S = 10
"""Activities of a job in `_SPINS_S`. A job that waits for a place polls once a second, and lost calls are repeated; a
larger number is a busy loop."""
_LATE_S = 120.0
"""How long after a deadline the orchestrator, or a new one that the reconciler started, must have acted. The longest
pause between two polls is added."""
_PROMPT_S = 6.0
_FOREVER = 1 << 60


class Invariants:
    """The invariants of one world."""

    def __init__(self, world: World) -> None:
        self.broken: list[Broken] = []
        self.rules: dict[str, StreamRules] = {}
        self.kinds: Counter[str] = Counter()
        self._world = world
        self._shadows: dict[str, list[Event]] = {}
        self._sent: set[tuple[str, int, str, str]] = set()
        self._successes: set[str] = set()
        self._keys: dict[str, str] = {}
        self._created: Counter[str] = Counter()
        self._tokens: set[str] = set()
        self._spins: Counter[tuple[str, int]] = Counter()

    def now(self) -> datetime:
        return self._world.clock.now()

    def break_(self, invariant: str, what: str) -> None:
        self.broken.append(Broken(invariant, what))

    # As things happen

    def append_was_refused(self, before: Sequence[Event], after: Sequence[Event]) -> None:
        if list(before) != list(after):
            self.break_("I2", "an append at a taken position wrote something")

    def appended(
        self, job_id: str, before: list[Event], events: Sequence[Event], after: Sequence[Event], expected: int
    ) -> None:
        shadow = self._shadows.setdefault(job_id, [])
        if len(before) != expected:
            self.break_("I2", f"an append at position {expected} was taken by a stream of {len(before)}")
        if not _same(shadow, before) or not _same([*shadow, *events], after):
            self.break_("I2", f"the stream of {self._world.alias(job_id)} did not only grow")
        if [event.position for event in after] != list(range(1, len(after) + 1)):
            self.break_("I2", f"the positions of {self._world.alias(job_id)} have a gap")
        self._shadows[job_id] = list(after)
        rules = self.rules.setdefault(job_id, StreamRules(self._world.platform))
        for event in events:
            self.kinds[event.type] += 1
            self._world.note(f"{self._world.alias(job_id)}#{event.position} {event.type} {_shown(event)}")
            try:
                rules.take(event, self._world.moment())
            except Broken as broken:
                self.broken.append(broken)
            self._world.feed.append(event)

    def view_saved(self, job: Job) -> None:
        stream = self._shadows.get(job.job_id, [])
        if not 0 < job.position <= len(stream) or fold(stream[: job.position]) != job:
            self.break_(
                "I10", f"the view of {self._world.alias(job.job_id)} at {job.position} is not a fold of its stream"
            )

    def container_requested(self, request: GroupRequest) -> None:
        self._tokens.add(request.secure_env["MAYFLY_REPORT_TOKEN"])
        rules = self.rules.get(request.job_id)
        known = rules is not None and any(
            each.number == request.attempt and each.group == request.group for each in rules.tries
        )
        if not known:
            self.break_("I5", f"{self._world.alias(request.group)} was requested, but the log does not have it")

    def report_sent(self, request: GroupRequest, document: Mapping[str, Any]) -> None:
        self._sent.add((request.job_id, request.attempt, document["claim"], _what(document)))

    def report_judged(self, request: GroupRequest, document: Mapping[str, Any], verdict: Verdict) -> None:
        rules = self.rules[request.job_id]
        attempt = rules.tries[request.attempt - 1] if request.attempt <= len(rules.tries) else None
        holder = attempt.claim if attempt is not None else None
        mine = holder == document["claim"]
        if verdict in ("accept", "seen") and not mine:
            self.break_(
                "I4", f"a report of {document['claim'][:6]} was accepted although {str(holder)[:6]} holds the attempt"
            )
        if verdict == "claimed_by_another" and (mine or holder is None):
            self.break_("I4", "the holder of an attempt was sent away")
        if verdict == "accept" and _what(document) == "succeeded":
            self._successes.add(request.job_id)

    def submitted(self, key: str | None, submission: Submission) -> None:
        if key is None:
            return
        job_id = submission.job.job_id
        self._created[job_id] += submission.created
        if self._keys.setdefault(key, job_id) != job_id or self._created[job_id] > 1:
            self.break_("I7", f"one idempotency key opened two jobs, or one twice: {job_id}")

    def activity_began(self, job_id: str) -> None:
        span = job_id, int(self.now().timestamp()) // _SPINS_S
        self._spins[span] += 1
        if self._spins[span] > _SPINS_MAX:
            self.break_("I6", f"the orchestrator of {self._world.alias(job_id)} is in a busy loop")

    def activity_done(self, completion: Completion) -> None:
        if completion.reason is not None:
            self.break_("I7", f"an activity raised: {completion.reason} {completion.details}")

    def is_open(self, job_id: str, attempt: int) -> bool:
        """Say whether an attempt is under way."""
        rules = self.rules.get(job_id)
        return rules is not None and rules.open is not None and rules.open.number == attempt

    # After every step

    def check_step(self) -> None:
        working: Counter[str] = Counter()
        for group in self._world.platform.groups.values():
            if group.worker is not None and group.worker.working:
                working[group.request.job_id] += 1
        for job_id, count in working.items():
            if count > 1:
                self.break_("I4", f"{count} containers of {self._world.alias(job_id)} do claimed work at a time")
        if self.broken:
            raise self.broken[0]

    # When the world is idle until time passes

    def check_rest(self, *, calm_since: datetime | None) -> None:
        """`calm_since`: since when there have been no faults."""
        hub = self._world.engine.hub
        timers = {timer.instance_id: timer.fire_at for timer in reversed(hub.due_timers(_FOREVER, 1_000))}
        under_way = {call.instance_id for call in self._world.engine.activity_calls(after=0, limit=1_000)}
        for instance in hub.instances(Filter(), after=0, limit=1_000):
            if instance.status == FAILED:
                self.break_("I7", f"the orchestrator failed: {instance.output}")
            elif instance.status not in FINISHED and instance.instance_id not in {*timers, *under_way}:
                self.break_("I6", f"the orchestrator of {self._world.alias(instance.instance_id)} waits forever")
        self._check_prompt(timers)
        if calm_since is not None:
            for job_id, rules in self.rules.items():
                self._check_in_time(job_id, rules, calm_since)
            self._check_unexpected(calm_since)
        if self.broken:
            raise self.broken[0]

    def _check_prompt(self, timers: Mapping[str, int]) -> None:
        """An orchestrator woken because its attempt is over deletes the container now, not at its next poll."""
        soon = (self.now() + timedelta(seconds=_PROMPT_S)).timestamp() * 1e6
        for job_id, number in self._world.woken.items():
            attempt = self.rules[job_id].tries[number - 1]
            idle = not attempt.delete_requested and attempt.gone is None and timers.get(job_id, 0) > soon
            if idle:
                self.break_(
                    "I6", f"{self._world.alias(attempt.group)} is over, and its orchestrator, once woken, sleeps"
                )

    def _check_in_time(self, job_id: str, rules: StreamRules, calm_since: datetime) -> None:
        latest = self.now() - timedelta(seconds=_LATE_S + self._world.mayfly.polls.poll_max_s)
        deadline = rules.deadline()
        if deadline is not None and max(deadline, calm_since) < latest:
            self.break_("I6", f"{self._world.alias(job_id)} is past its deadline of {deadline} and was not ended")
        for attempt in rules.tries:
            waits = attempt.outcome not in (None, "ContainerRefused") and attempt.gone is None
            if waits and not attempt.delete_requested and max(attempt.ended_at or latest, calm_since) < latest:
                self.break_("I5", f"{self._world.alias(attempt.group)} is over and was not deleted")

    def _check_unexpected(self, calm_since: datetime) -> None:
        latest = self.now() - timedelta(seconds=_LATE_S)
        for name, group in self._world.platform.groups.items():
            request = group.request
            tries = rules.tries if (rules := self.rules.get(request.job_id)) is not None else []
            expected = any(each.group == name and each.gone is None for each in tries)
            if not expected and not group.going and max(group.created_at, calm_since) < latest:
                self.break_("I5", f"{self._world.alias(name)} is not expected, but the reconciler did not find it")

    # At the end

    def check_end(self) -> None:
        world = self._world
        for job_id, rules in self.rules.items():
            name = world.alias(job_id)
            if not rules.settled:
                self.break_("I6", f"{name} is not settled: {rules.terminal}")
            job = fold(self._shadows[job_id])
            assert job is not None
            if job.state != TERMINAL.get(rules.terminal or ""):
                self.break_("I3", f"{name} is {job.state} and its end was {rules.terminal}")
            if world.views.jobs.get(job_id) != job:
                self.break_("I10", f"the view of {name} is not the fold of its stream")
            if job_id in self._successes and job.state != "succeeded":
                self.break_("I3", f"a success of {name} was accepted, and it is {job.state}")
            if (job.state == "succeeded") != any(each.success for each in rules.tries):
                self.break_("truth", f"{name} is {job.state}, but its attempts disagree")
            spec = rules.spec
            begun = sum(job_id == began for began, _ in world.platform.begun)
            if spec is not None and spec.at_most_once and spec.image is not None and begun > 1:
                self.break_("I4", f"{name} runs at most once, and {begun} of its attempts ran")
            self._check_sent(job_id)
        for group in world.platform.groups:
            self.break_("I5", f"{world.alias(group)} was left behind")
        if (free := world.places_free()) < world.groups_max:
            self.break_("I9", f"{free} of {world.groups_max} places are free, and no job is left")
        self._check_secrets()
        if self.broken:
            raise self.broken[0]

    def _check_sent(self, job_id: str) -> None:
        """Every report in the log was sent by a worker."""
        for event in self._shadows[job_id]:
            what = {"WorkerSucceeded": "succeeded", "WorkerFailed": "failed", "WorkerStarted": "started"}.get(
                event.type
            )
            claim = self.rules[job_id].tries[event.attempt - 1].claim if event.attempt else None
            if what is not None and (job_id, event.attempt, claim, what) not in self._sent:
                self.break_("truth", f"{event.type} of {self._world.alias(job_id)} was never sent")

    def _check_secrets(self) -> None:
        hub = self._world.engine.hub.db
        kept = [row[0] for row in hub.execute("SELECT events FROM history")]
        kept += [str(row) for row in hub.execute("SELECT input, output, custom_status FROM instances")]
        kept += [json.dumps(to_document(event)) for stream in self._shadows.values() for event in stream]
        text = "\n".join(kept)
        if any(secret in text for secret in (SECRET_VALUE, *self._tokens)):
            self.break_("I8", "a secret is in the log or the task hub")


def _same(left: Sequence[Event], right: Sequence[Event]) -> bool:
    return len(left) == len(right) and all(a is b for a, b in zip(left, right, strict=True))


def _what(document: Mapping[str, Any]) -> str:
    return str(document["outcome"] if document["type"] == "finished" else document["type"])


def _shown(event: Event) -> str:
    body: Any = event.body
    told = [str(getattr(body, name)) for name in ("reason", "refusal", "exit_code", "deadline") if hasattr(body, name)]
    return " ".join([f"({event.attempt})", *told])
