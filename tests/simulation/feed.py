"""The log's change feed: it delivers batches to the real projector, at least once, and in no promised order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mayfly.errors import TryAgain
from mayfly.jobs.events import Event
from mayfly.views import projection

if TYPE_CHECKING:
    from tests.simulation.world import World


class Feed:
    """The events that have not been delivered yet."""

    def __init__(self, world: World) -> None:
        self.backlog: list[Event] = []
        self.retry_at = world.clock.now()
        """When a failed batch is delivered again, by the trigger's retry policy."""
        self._history: list[Event] = []
        self._world = world

    def append(self, event: Event) -> None:
        self.backlog.append(event)
        self._history.append(event)

    def deliver(self) -> None:
        """Deliver a batch to the projector; a failed one is delivered again."""
        world = self._world
        size = world.random.choice((1, 2, 5, 100))
        if world.faults.strike("feed_shuffled"):
            world.random.shuffle(self.backlog)
        if world.faults.strike("feed_gap"):
            batch, self.backlog = self.backlog[-size:], self.backlog[:-size]
        else:
            batch, self.backlog = self.backlog[:size], self.backlog[size:]
        if world.faults.strike("feed_twice"):
            self.backlog.extend(batch)

        def ended(done: bool | None) -> None:
            if not done:
                self.backlog.extend(batch)
                self.retry_at = world.clock.now() + timedelta(seconds=1)

        world.run(f"feed of {len(batch)}", self._project(batch), host=True, on_end=ended)

    def lose_views(self) -> None:
        """Forget all views. They return from the feed's beginning, by a rebuild, or by the reconciler alone (I1)."""
        way = self._world.random.choice(("feed", "rebuild", "reconciler"))
        if way == "reconciler":
            self._world.crash()  # the store is lost with its host, so no one still writes to the old one
        self._world.views.lose()
        if way == "feed":
            self.backlog = list(self._history)
        if way != "rebuild":
            return

        def ended(done: bool | None) -> None:
            if not done:
                self.backlog = list(self._history)

        self._world.run("rebuild of the views", self._rebuild(), host=True, on_end=ended)

    async def _project(self, batch: list[Event]) -> bool:
        try:
            await projection.project(batch, log=self._world.mayfly.log, views=self._world.mayfly.views)
        except TryAgain:
            return False
        return True

    async def _rebuild(self) -> bool:
        try:
            await projection.rebuild(log=self._world.mayfly.log, views=self._world.mayfly.views)
        except TryAgain:
            return False
        return True
