"""One schedule: at every step, the seed chooses the next event; first with faults, then without until it rests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from local_host.durable.engine import Episode
from local_host.durable.hub import ActivityCall, TimerDue
from mayfly.containers.runtime import GroupRequest
from mayfly.errors import TryAgain
from mayfly.use_cases.reconcile import Reconciled, reconcile
from tests.engine_work import ready
from tests.simulation.stream_rules import Broken
from tests.simulation.users import Users
from tests.simulation.world import PLACE, World

_RECONCILE_EVERY_S = 30.0
_CALM_STEPS_MAX = 20_000
_CALM_S_MAX = 12 * 3600.0


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that may happen next."""

    weight: float
    label: str
    do: Callable[[], None]


class Schedule:
    """The scheduler of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._users = Users(world)
        self._reconcile_at = world.clock.now()
        self._reconciling = False
        self._calm_since: datetime | None = None
        self.steps = 0

    def run(self) -> None:
        """Take every step.

        Errors: `Broken`, when an invariant is.
        """
        world = self._world
        self._plant_strays()
        for _ in range(world.random.choice((60, 120, 240))):
            self._interfere()
            self._step()
        world.note("no more faults")
        world.faults.active = False
        # An outage that has begun lasts as long as it lasts.
        outages = [at for at in (world.log.outage_until, world.platform.outage_until) if at is not None]
        self._calm_since = max([world.clock.now(), *outages])
        while not self._done():
            calm_s = (world.clock.now() - self._calm_since).total_seconds()
            if self.steps > _CALM_STEPS_MAX or calm_s > _CALM_S_MAX:
                self._report_unsettled()
            self._step()
        world.clock.advance(timedelta(hours=1))
        world.invariants.check_end()

    # Possible steps

    def _step(self) -> None:
        world = self._world
        self.steps += 1
        choices = self._work()
        busy = bool(choices)
        if self._calm_since is None and not self._users.content:
            choices.append(Choice(1, "user", lambda: world.note(f"a user: {self._users.act()}")))
        if not busy or (self._calm_since is None and world.random.random() < 0.15):
            choices.append(Choice(1, "time", lambda: self._let_time_pass(busy=busy)))
        chosen = choices[0]
        if len(choices) > 1:
            chosen = world.random.choices(choices, [choice.weight for choice in choices])[0]
        world.fingerprint.update(chosen.label.encode())
        chosen.do()
        for fault in world.faults.log:
            world.note(f"    fault: {fault}")
        world.faults.log.clear()
        world.invariants.check_step()

    def _work(self) -> list[Choice]:
        """List the possible steps that need no time to pass."""
        world = self._world
        now = world.clock.now()
        world.processes = [process for process in world.processes if not process.over]
        choices = [
            Choice(3, process.label, self._stepping(process.step, process.label))
            for process in world.processes
            if process.ready(now)
        ]
        for item in ready(world.engine):
            if isinstance(item, ActivityCall):
                if not world.executing[item.number] or world.faults.strike("activity_twice"):
                    choices.append(Choice(3, item.name, self._beginning(item)))
            else:
                choices.append(Choice(3, type(item).__name__, self._advancing(item)))
        for index, (_, completion, at) in enumerate(world.completions):
            if at > now:
                continue
            choices.append(Choice(3, f"end of {completion.call.name}", self._ending(index)))
        if world.feed.backlog and world.feed.retry_at <= now:
            choices.append(Choice(2, "feed", world.feed.deliver))
        at_any_time = world.faults.strike("reconcile_at_any_time")
        if not self._reconciling and (self._reconcile_at <= now or at_any_time):
            choices.append(Choice(2, "reconcile", self._reconcile))
        return choices

    def _stepping(self, step: Callable[[], None], label: str) -> Callable[[], None]:
        def do() -> None:
            try:
                step()
            except Broken:
                raise
            except Exception as error:
                self._world.invariants.break_("I7", f"{label} raised {type(error).__name__}: {error}")

        return do

    def _beginning(self, call: ActivityCall) -> Callable[[], None]:
        return lambda: self._world.begin_activity(call)

    def _ending(self, index: int) -> Callable[[], None]:
        return lambda: self._world.end_activity(index)

    def _advancing(self, item: Episode | TimerDue) -> Callable[[], None]:
        return lambda: self._world.engine.step(item)

    def _reconcile(self) -> None:
        world = self._world
        self._reconciling = True
        self._reconcile_at = world.clock.now() + timedelta(seconds=_RECONCILE_EVERY_S)

        async def one_pass() -> Reconciled | None:
            try:
                return await reconcile(world.mayfly, world.orchestrators)
            except TryAgain:
                return None

        def ended(found: Reconciled | None) -> None:
            self._reconciling = False
            if found is not None and (found.started or found.leaks_found or found.unknown_deleted):
                world.note(f"{found}")

        world.run("reconciler", one_pass(), host=True, on_end=ended)

    def _let_time_pass(self, *, busy: bool) -> None:
        world = self._world
        if busy:
            world.clock.advance(timedelta(seconds=world.random.uniform(0, world.random.choice((1, 5, 20)))))
            return
        world.invariants.check_rest(calm_since=self._calm_since)
        waits = [process.awaits for process in world.processes if isinstance(process.awaits, datetime)]
        waits += [at for _, _, at in world.completions]
        waits += [world.feed.retry_at] if world.feed.backlog else []
        due = min([at for at in (*waits, world.engine.next_due()) if at is not None] + [self._reconcile_at])
        world.clock.advance_to(due)
        if self._calm_since is None and world.random.random() < 0.3:
            world.clock.advance(timedelta(seconds=world.random.uniform(0, 3)))

    # Faults at any time

    def _interfere(self) -> None:
        world, strike = self._world, self._world.faults.strike
        now = world.clock.now()
        if strike("host_crash"):
            world.crash()
            self._reconcile_at = now
        if strike("hub_lost"):
            world.lose_hub(zombies=False)
            self._reconcile_at = now
        if strike("hub_lost_with_zombies"):
            world.lose_hub(zombies=True)
        if strike("views_lost"):
            world.feed.lose_views()
        if strike("log_outage"):
            world.log.outage_until = now + timedelta(seconds=world.random.uniform(1, 60))
        if strike("platform_outage"):
            world.platform.outage_until = now + timedelta(seconds=world.random.uniform(1, 300))

    def _plant_strays(self) -> None:
        """Create groups of a job that the log does not have."""
        if self._world.faults.strike("stray_group"):
            self._world.platform.stray(
                GroupRequest(
                    group=f"stray-abcdefghij-1-{PLACE}",
                    place=PLACE,
                    job_id="stray-abcdefghij",
                    attempt=1,
                    image=None,
                    command=("true",),
                    env={},
                    secure_env={"MAYFLY_REPORT_TOKEN": "of another house"},
                    cpu=1,
                    memory_gb=1,
                )
            )

    # The end

    def _done(self) -> bool:
        world = self._world
        if not world.invariants.rules:
            if not any(process.label == "submit" for process in world.processes):
                self._users.act_once_more()
            return False
        return (
            all(rules.settled for rules in world.invariants.rules.values())
            and not world.platform.groups
            and world.views.is_complete
            and not world.feed.backlog
            and not any(process.over is False for process in world.processes)
            and not world.completions
            and not ready(world.engine)
            and world.engine.next_due() is None
        )

    def _report_unsettled(self) -> None:
        world = self._world
        for job_id, rules in world.invariants.rules.items():
            if not rules.settled:
                world.invariants.break_("I6", f"{world.alias(job_id)} does not come to rest: {rules.terminal}")
        for group in world.platform.groups:
            world.invariants.break_("I5", f"{world.alias(group)} is left behind")
        world.invariants.break_("I6", "the world does not come to rest")
        world.invariants.check_step()
