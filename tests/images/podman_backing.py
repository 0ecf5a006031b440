"""Container groups of the fake platform that run as real containers of an image, as Azure would run them."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

from tests.fake_arm.backing import Inside, Run
from tests.images.engine import Engine

_GRACE_S = 60
"""Between SIGTERM and SIGKILL. A worker needs far less, even on a busy machine."""


class PodmanBacking:
    """`Backing` by an engine. A group's name is its container's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.ended: dict[str, dict[str, Any]] = {}
        """The last output of `podman inspect` for each container before its removal."""

    async def start(self, inside: Inside, at: datetime) -> None:
        """Start a container. A group's command replaces the image's entry point."""
        program, *arguments = inside.command
        variables = [
            argument for name in inside.env for argument in ("--env", name)
        ]  # values stay off the command line
        options = ["--detach", "--name", inside.group, "--entrypoint", json.dumps([program]), *variables]
        # Azure limits both too, but a virtual machine in CI may not let podman set these.
        await self._run("run", *options, inside.image, *arguments, env=dict(inside.env))

    async def look(self, group: str) -> Run:
        found = await asyncio.to_thread(self._engine.inspect_container, group)
        if found is None or found["State"]["Status"] in ("configured", "created", "initialized"):
            return Run()
        state = found["State"]
        ended = state["Status"] in ("exited", "stopped")
        return Run(
            started_at=datetime.fromisoformat(state["StartedAt"]),
            finished_at=datetime.fromisoformat(state["FinishedAt"]) if ended else None,
            exit_code=state["ExitCode"] if ended else None,
            output=await asyncio.to_thread(self._engine.logs, group),
        )

    async def stop(self, group: str) -> None:
        await self._run("stop", "--ignore", "--time", str(_GRACE_S), group)
        found = await asyncio.to_thread(self._engine.inspect_container, group)
        if found is not None:
            self.ended[group] = found
            await asyncio.to_thread(self._engine.remove_container, group)

    async def _run(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        await asyncio.to_thread(self._engine.run, *arguments, env=env)
