"""Who drives the engine while the host runs? One loop that sleeps until there is work.

One turn of the loop commits all available work in one transaction: results of activities, due timers, and the episodes
that follow from them. It starts activities after the commit. A turn ends after a few milliseconds so that requests are
served between turns. Instances have no tasks, threads or timers: the loop waits for the earliest timer of all. After
two idle seconds the cached histories are dropped, so a waiting instance costs only its rows.

If an episode fails because of a defect in this host rather than in the app, its instance is set aside until the next
start, so that it cannot block the others. If the task hub itself fails, for example on a full disk, the loop ends with
that error.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from datetime import timedelta

from local_host.durable.engine import Completion, Engine, Episode
from local_host.durable.hub import ActivityCall

log = logging.getLogger("local_host.durable.runner")


class Runner:
    """Drives an engine until `stop`, running at most `activities_max` activities at a time."""

    def __init__(self, engine: Engine, *, activities_max: int) -> None:
        self._engine = engine
        self._activities_max = activities_max
        self._wake = asyncio.Event()
        self._stopping = False
        self._last_call = 0
        self._running: set[asyncio.Task[None]] = set()
        self._completions: list[Completion] = []
        self._set_aside: set[int] = set()
        engine.on_change = self._wake.set

    async def run(self) -> None:
        """Drive the engine until `stop`. Errors: `sqlite3.Error` if the task hub fails."""
        try:
            while not self._stopping:
                self._wake.clear()
                while self._turn() and not self._stopping:  # noqa: ASYNC110 - requests are served between turns
                    await asyncio.sleep(0)
                await self._rest()
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    def stop(self) -> None:
        """End the loop. Running activities are canceled; they run again at the next start."""
        self._stopping = True
        self._wake.set()

    def _turn(self) -> bool:
        """Do the available work in one transaction; return whether there was any."""
        completions, self._completions = self._completions, []
        try:
            with self._engine.batch():
                done = self._work(completions)
        except sqlite3.OperationalError:
            raise
        except Exception:
            log.exception("A batch of work failed and was rolled back. Retrying its items one at a time.")
            done = self._work(completions, set_aside=True)
        return self._start_activities() or done

    def _work(self, completions: list[Completion], *, set_aside: bool = False) -> bool:
        until = time.monotonic() + _TURN_S
        for completion in completions:
            self._engine.commit(completion)
        due = self._engine.timers_due(limit=_BATCH)
        for timer in due:
            self._engine.step(timer)
        episodes = self._episodes()
        for episode in episodes:
            try:
                self._engine.step(episode)
            except Exception as error:
                if not set_aside or isinstance(error, sqlite3.OperationalError):
                    raise
                self._set_aside.add(episode.key)
                log.exception("Instance with key %s is set aside until the next start.", episode.key)
            if not set_aside and time.monotonic() > until:
                break
        return bool(completions or due or episodes)

    def _episodes(self) -> list[Episode]:
        episodes = self._engine.episodes(limit=_BATCH)
        if not self._set_aside:
            return episodes
        # Messages of instances set aside stay in the inbox; read past them to reach the others.
        more = self._engine.episodes(limit=_BATCH + _SET_ASIDE_MESSAGES * len(self._set_aside))
        return [episode for episode in more if episode.key not in self._set_aside][:_BATCH]

    def _start_activities(self) -> bool:
        free = self._activities_max - len(self._running)
        if free <= 0:
            return False
        calls = self._engine.activity_calls(after=self._last_call, limit=free)
        for call in calls:
            self._last_call = call.number
            task = asyncio.create_task(self._execute(call))
            self._running.add(task)
            task.add_done_callback(self._ended)
        return bool(calls)

    async def _execute(self, call: ActivityCall) -> None:
        completion = await self._engine.execute(call)
        if completion.reason is not None:
            log.warning(
                "%s (instance %s, id %s)\n%s", completion.reason, call.instance_id, call.task_id, completion.details
            )
        self._completions.append(completion)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()

    async def _rest(self) -> None:
        """Wait for a change or the earliest timer; drop the cached histories when idle."""
        clock = self._engine.clock
        due = self._engine.next_due()
        idle_at = clock.now() + _IDLE_AFTER
        if due is None or due > idle_at:
            await clock.wait(self._wake, idle_at)
            if not self._wake.is_set():
                self._engine.drop_cached_histories()
        await clock.wait(self._wake, due)


_BATCH = 64
_TURN_S = 0.008
_IDLE_AFTER = timedelta(seconds=2)
_SET_ASIDE_MESSAGES = 64
