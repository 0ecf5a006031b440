"""The actions of users: submit, submit again with the same key, cancel, archive, clear, and request unknown jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from mayfly.errors import NotFound, Rejected, TryAgain
from mayfly.jobs.spec import JobSpec
from mayfly.use_cases.archive import archive
from mayfly.use_cases.cancel import cancel
from mayfly.use_cases.clear import clear
from mayfly.use_cases.submit import parse_spec, submit

if TYPE_CHECKING:
    from tests.simulation.world import World

_TRIES = 4


class Users:
    """A few users, with a few requests."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._jobs_left = world.random.choice((1, 1, 2, 3))
        self._others_left = world.random.choice((0, 1, 3))
        self._keyed: dict[str, JobSpec] = {}
        self._contested: set[str] = set()
        """Keys that were used with two specs: whichever comes first opens the job, and the other is rejected."""

    @property
    def content(self) -> bool:
        return not self._jobs_left and not self._others_left

    def act_once_more(self) -> None:
        """Submit one job, if faults have prevented all others."""
        self._world.run("submit", self._submit(self._spec(), None), host=True)

    def act(self) -> str:
        """Choose one request, and return its name."""
        world, random = self._world, self._world.random
        if self._jobs_left:
            self._jobs_left -= 1
            key = f"key-{len(self._keyed)}" if random.random() < 0.5 else None
            spec = self._spec()
            if key is not None:
                self._keyed[key] = spec
                if random.random() < 0.5:
                    world.run("submit once more", self._submit(spec, key), host=True)
            world.run("submit", self._submit(spec, key), host=True)
            return "submit"
        self._others_left -= 1
        known = list(world.invariants.rules)
        wish = random.choice(("cancel", "cancel", "archive", "clear", "submit again", "nobody's"))
        if wish == "submit again" and self._keyed:
            key = random.choice(sorted(self._keyed))
            spec = self._keyed[key]
            if random.random() < 0.3:
                spec = self._spec()
                self._contested.add(key)
            world.run(wish, self._submit(spec, key), host=True)
        elif wish == "clear":
            world.run(wish, self._ask(partial(clear, source="http")), host=True)
        else:
            job_id = "nobody-abcdefghij" if wish == "nobody's" or not known else random.choice(known)
            if wish == "archive":
                request: Any = self._archive(job_id)
            else:
                request = self._ask(partial(cancel, job_id=job_id, source="http", reason="enough"))
            world.run(f"{wish} {world.alias(job_id)}", request, host=True)
        return wish

    async def _submit(self, spec: JobSpec, key: str | None) -> None:
        world = self._world
        for _ in range(_TRIES if key is not None else 1):
            try:
                submission = await submit(world.mayfly, world.orchestrators, spec, source="http", idempotency_key=key)
            except TryAgain:
                await world.hop()
            except Rejected:
                if key not in self._contested:
                    world.invariants.break_("I7", "a valid submission was rejected")
                return
            else:
                world.invariants.submitted(key, submission)
                return

    async def _archive(self, job_id: str) -> None:
        try:
            await archive(self._world.mayfly, job_id, source="http")
        except (TryAgain, NotFound) as error:
            self._world.note(f"answered with {type(error).__name__}")

    async def _ask(self, request: Callable[..., Awaitable[object]]) -> None:
        try:
            await request(self._world.mayfly, self._world.orchestrators)
        except (TryAgain, NotFound) as error:
            self._world.note(f"answered with {type(error).__name__}")

    def _spec(self) -> JobSpec:
        random = self._world.random
        document: dict[str, Any] = {
            "start_timeout_s": random.choice((20.0, 60.0, 300.0)),
            "run_timeout_s": random.choice((15.0, 60.0, 300.0)),
            "at_most_once": random.random() < 0.25,
            "retry": {
                "max_attempts": random.choice((1, 2, 3)),
                "backoff_s": random.choice((0.0, 5.0, 60.0)),
                "on_exit_codes": random.choice((None, None, [3])),
                "on_errors": random.choice((None, None, ["container_lost", "start_timeout"])),
            },
        }
        if random.random() < 0.3:
            document |= {"image": "busybox", "command": ["true"]}
        elif random.random() < 0.5:
            document["command"] = ["true"]
        else:
            document["message"] = "work"
        if random.random() < 0.3:
            document["secrets"] = {"API_KEY": "api-key"}
        return parse_spec(document)
