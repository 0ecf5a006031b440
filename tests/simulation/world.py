"""One schedule's world: the real Mayfly between a faulty log, a faulty platform, and hosts that die.

A *host* is a process of the Functions app: its requests and activities die with it, its task hub does not.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from local_host.durable.engine import Completion, Engine
from local_host.durable.hub import ActivityCall, TaskHub
from mayfly import composition
from mayfly.admission.admission import Admitted
from mayfly.admission.single_machine import single_machine
from mayfly.app import Mayfly
from mayfly.errors import SecretMissing, TryAgain
from mayfly.intake.sqlite import SqliteIntakeRecord
from mayfly.jobs.commands import SubmitJob
from mayfly.jobs.costs import Prices
from mayfly.jobs.decide import submit
from mayfly.jobs.next_step import AZURE_POLLS, LOCAL_POLLS
from mayfly.jobs.spec import JobSpec
from mayfly.orchestrators import ORCHESTRATION
from mayfly.report_tokens import ReportTokens
from mayfly.use_cases import submit as submit_module
from orchestrations import activities, run_job
from tests.mayfly.log.memory import MemoryEventLog
from tests.simulation.faults import Faults
from tests.simulation.feed import Feed
from tests.simulation.invariants import SECRET_VALUE, Invariants
from tests.simulation.network import Network
from tests.simulation.orchestrators import EngineOrchestrators
from tests.simulation.platform import SimulatedPlatform
from tests.simulation.processes import Process, take_turns
from tests.simulation.stores import FaultyLog, FaultyViews
from tests.virtual_clock import VirtualClock

PLACE = "local"

_START = datetime(2026, 1, 1, tzinfo=UTC)
_TRACE_LINES = 400
_TOKENS = ReportTokens(b"a key of the simulation, 32 bytes")
_ACTIVITIES = ("begin_attempt", "observe_attempt", "end_attempt")


class World:
    """Everything in one schedule."""

    def __init__(self, seed: int, *, say: Callable[[str], None] | None = None) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.clock = VirtualClock(_START)
        self.faults = Faults(self.random)
        self.verdicts: Counter[str] = Counter()
        self.processes: list[Process] = []
        self.completions: list[tuple[Engine, Completion, datetime]] = []
        """The results of activities, and when the host receives them."""
        self.executing: Counter[int] = Counter()
        """Number of executions of each activity call that runs, or has run and is not committed."""
        self.woken: dict[str, int] = {}
        """By job, the attempt whose end woke its orchestrator."""
        self.trace: deque[str] = deque(maxlen=_TRACE_LINES)
        self.fingerprint = hashlib.blake2b(digest_size=16)
        self._say = say
        self._aliases: dict[str, str] = {}
        self._moment = 0
        self._patience = self.random.choice((0.0, 0.3, 0.7))
        self.groups_max = self.random.choice((1, 2, 100, 100, 100, 100))
        self.platform = SimulatedPlatform(self)
        self.invariants = Invariants(self)
        self.platform.on_create = self.invariants.container_requested
        self.memory = MemoryEventLog()
        self.log = FaultyLog(self.memory, self.faults, self.invariants, self.hop)
        self.views = FaultyViews(self.faults, self.invariants, self.hop)
        self.feed = Feed(self)
        self.network = Network(self)
        self.orchestrators = EngineOrchestrators(self)
        self.pace = self.random.choice((LOCAL_POLLS, AZURE_POLLS, AZURE_POLLS))
        self._opened = ExitStack()
        self._intake = SqliteIntakeRecord(":memory:")
        self._opened.callback(lambda: drive(self._intake.close()))
        self.engine = self._new_engine(self._new_hub())
        self.mayfly = self._new_mayfly()

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make this world's Mayfly the one that the activities find, and its randomness the only one."""
        seeded = SimpleNamespace(token_bytes=self.random.randbytes)
        disabled = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            with patch.object(submit_module, "secrets", seeded):
                composition.use(self.mayfly)
                yield
        finally:
            composition.use(None)
            logging.disable(disabled)
            for process in self.processes:
                process.kill()
            self._opened.close()

    # Time, and the next process

    async def hop(self) -> None:
        """Be in transit, so that others may run first."""
        if self.random.random() < self._patience:
            await take_turns()

    def moment(self) -> int:
        """Return a number that grows with every step."""
        self._moment += 1
        return self._moment

    def run(
        self,
        label: str,
        coroutine: Coroutine[Any, Any, Any],
        *,
        host: bool,
        on_end: Callable[[Any], None] = lambda _: None,
    ) -> Process:
        """Begin a process; the schedule decides when it continues."""
        process = Process(label, coroutine, host=host, on_end=on_end)
        self.processes.append(process)
        return process

    def note(self, text: str) -> None:
        """Add a line to the trace."""
        self.fingerprint.update(text.encode())
        line = f"{(self.clock.now() - _START).total_seconds():9.2f}  {text}"
        self.trace.append(line)
        if self._say is not None:
            self._say(line)

    def alias(self, name: str) -> str:
        """Return a job id or group name with the job's number in it, so that traces of two seeds compare."""
        for job_id, alias in self._aliases.items():
            if name.startswith(job_id):
                return alias + name[len(job_id) :]
        if name in self.invariants.rules:
            self._aliases[name] = f"job{len(self._aliases) + 1}"
            return self._aliases[name]
        return "another"

    # The host

    def crash(self) -> None:
        """Kill the host, and start another on what is durable."""
        self._die()
        self.engine = self._new_engine(self.engine.hub)
        self._start_host()

    def lose_hub(self, *, zombies: bool) -> None:
        """Lose the task hub. With zombies, the processes of the old host keep running (I1)."""
        if zombies:
            self.executing.clear()
        else:
            self._die()
        self.engine = self._new_engine(self._new_hub())
        self.woken.clear()
        self._start_host()

    def begin_activity(self, call: ActivityCall) -> None:
        """Execute an activity; its completion is kept until it is committed or dropped."""
        engine = self.engine
        self.executing[call.number] += 1
        self.invariants.activity_began(call.instance_id or "")

        def ended(completion: Completion | None) -> None:
            if completion is not None:
                self.invariants.activity_done(completion)
                late_s = self.random.uniform(0.2, 6) if self.faults.strike("completion_late") else 0
                self.completions.append((engine, completion, self.clock.now() + timedelta(seconds=late_s)))
            elif engine is self.engine:
                self.executing[call.number] -= 1

        label = f"{call.name} of {self.alias(call.instance_id or '')}"
        self.run(label, engine.execute(call), host=True, on_end=ended)

    def end_activity(self, index: int) -> None:
        """Commit a completion, drop it, or commit it and keep it for a second time."""
        engine, completion, at = self.completions.pop(index)
        call = completion.call
        if self.faults.strike("activity_dropped"):
            what = "dropped"
        else:
            what = "committed" if engine.commit(completion) else "came to nothing"
            if self.faults.strike("completion_twice"):
                self.completions.append((engine, completion, at))
        if engine is self.engine:
            self.executing[call.number] -= 1
        self.note(f"{call.name} of {self.alias(call.instance_id or '')} {what}: {completion.result}")

    def places_free(self) -> int:
        """Count the new jobs that would be admitted now."""
        count = 0
        for number in range(self.groups_max):
            command = SubmitJob(job_id=f"probe-{number}", spec=JobSpec(message="probe"), source="cli")
            job = submit(command, self.clock.now()).job
            count += isinstance(drive(self.mayfly.admission.admit(job, now=self.clock.now())), Admitted)
        return count

    def spec_of(self, job_id: str) -> JobSpec:
        rules = self.invariants.rules.get(job_id)
        return (rules.spec if rules is not None else None) or JobSpec(message="of no job")

    def _die(self) -> None:
        for process in self.processes:
            if process.host:
                process.kill()
        self.completions.clear()
        self.executing.clear()

    def _start_host(self) -> None:
        self.mayfly = self._new_mayfly()
        composition.use(self.mayfly)

    def _new_hub(self) -> TaskHub:
        """Open a task hub until the world ends, because a zombie process may still use one that was lost."""
        hub = TaskHub()
        self._opened.callback(hub.close)
        return hub

    def _new_engine(self, hub: TaskHub) -> Engine:
        return Engine(
            hub=hub,
            clock=self.clock,
            orchestrators={ORCHESTRATION: _function(run_job.run_job)},
            activities={name: _function(getattr(activities, name)) for name in _ACTIVITIES},
        )

    def _new_mayfly(self) -> Mayfly:
        present = partial(composition.jobs_present, self.platform, self.log)
        return Mayfly(
            clock=self.clock,
            log=self.log,
            views=self.views,
            runtime=self.platform,
            admission=single_machine(PLACE, groups_max=self.groups_max, jobs_present=present),
            secrets=_Secrets(self.faults),
            tokens=_TOKENS,
            polls=self.pace,
            public_url="http://host",
            place=PLACE,
            prices=Prices(cpu_hour=0, memory_gb_hour=0),
            intake=self._intake,
        )


class _Secrets:
    """See `SecretStore`."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        """See `SecretStore.resolve`."""
        if references and self._faults.strike("secrets_fail"):
            raise TryAgain("the secret store did not answer")
        for name in references.values():
            if self._faults.strike("secret_missing"):
                raise SecretMissing(name, "set it")
        return dict.fromkeys(references, SECRET_VALUE)


def drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end, alone."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


def _function(builder: Any) -> Any:
    return builder._function.get_user_function()
