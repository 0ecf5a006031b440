"""The log's change feed: at least once, in batches, in an order that it does not promise, to the real projector."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mayfly.errors import TryAgain
from mayfly.jobs.events import Event
from mayfly.views import projection

if TYPE_CHECKING:
    from tests.simulation.world import World


class Feed:
    """What has not been delivered yet."""

    def __init__(self, world: World) -> None:
        self.backlog: list[Event] = []
        self.retry_at = world.clock.now()
        """When a batch that failed is handed over again, as the trigger's retry policy has it."""
        self._history: list[Event] = []
        self._world = world

    def append(self, event: Event) -> None:
        self.backlog.append(event)
        self._history.append(event)

    def deliver(self) -> None:
        """Hand a batch to the projector; one that fails comes again."""
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
        """Forget all views. They come again from the feed's beginning, by hand, or from the reconciler alone (I1)."""
        way = self._world.random.choice(("feed", "rebuild", "reconciler"))
        if way == "reconciler":
            self._world.crash()  # the store went with its host, so nobody is still writing to the old one
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
