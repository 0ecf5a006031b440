"""How do these tests drive an engine and a host? By hand, on a virtual clock, or over real HTTP."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from azure.durable_functions.orchestrator import Orchestrator

from local_host.app.loading import LoadedApp, load_app
from local_host.durable.engine import Engine, Episode
from local_host.durable.hub import Instance, TaskHub, TimerDue
from local_host.host import Host, HostSettings
from local_host.web.guard import Guard
from local_host.web.keys import Keys
from local_host.web.server import AsgiApp, Server, bind
from tests.engine_work import encode_input, ready, run_until_idle
from tests.virtual_clock import VirtualClock
from tests.waiting import HANG_GUARD_S

Code = Callable[[Any], Generator[Any, Any, Any]]


class Rig:
    """An engine on a virtual clock, with a task hub that outlives it."""

    def __init__(self, orchestrators: Mapping[str, Code], activities: Mapping[str, Any] | None = None) -> None:
        self.clock = VirtualClock()
        self.hub = TaskHub()
        self.calls: list[tuple[str, Any]] = []
        self._activities = dict(activities or {})
        self.engine = self.new_engine(orchestrators)

    def new_engine(self, orchestrators: Mapping[str, Code]) -> Engine:
        """A host that starts on the same task hub, perhaps with other code."""
        self.engine = Engine(
            hub=self.hub,
            clock=self.clock,
            orchestrators={name: Orchestrator.create(code) for name, code in orchestrators.items()},
            activities={name: self._recorded(name, function) for name, function in self._activities.items()},
        )
        return self.engine

    def start(self, name: str, value: Any = None, instance_id: str = "i") -> str:
        return self.engine.start(name, instance_id=instance_id, input_text=encode_input(value))

    def settle(self) -> None:
        """Do all the work that needs no time to pass."""
        asyncio.run(run_until_idle(self.engine))

    def finish(self) -> list[datetime]:
        """Do all the work while time passes from timer to timer; return when each timer was due."""
        dues = []
        self.settle()
        while (due := self.engine.next_due()) is not None:
            dues.append(due)
            self.clock.advance_to(due)
            self.settle()
        return dues

    def status(self, instance_id: str = "i") -> Instance:
        found = self.engine.status(instance_id)
        assert found is not None
        return found

    def output(self, instance_id: str = "i") -> Any:
        text = self.status(instance_id).output
        return None if text is None else json.loads(text)

    def episodes_only(self) -> None:
        """Do episodes and due timers, and no activity."""
        while items := [item for item in ready(self.engine) if isinstance(item, Episode | TimerDue)]:
            for item in items:
                self.engine.step(item)

    def kinds(self, instance_id: str = "i") -> list[tuple[int, int]]:
        return [(event["EventType"], event["EventId"]) for event in self.engine.history(instance_id)]

    def close(self) -> None:
        self.hub.close()

    def _recorded(self, name: str, function: Callable[[Any], Any]) -> Callable[[Any], Awaitable[Any]]:
        async def call(value: Any) -> Any:
            self.calls.append((name, value))
            result = function(value)
            return await result if asyncio.iscoroutine(result) else result

        return call


class Served:
    """A host that listens, and a client for it."""

    def __init__(self, host: Host, client: httpx.AsyncClient, base_url: str) -> None:
        self.host = host
        self.client = client
        self.base_url = base_url
        self.master = {"x-functions-key": host.keys.master}

    def management(self, path: str, **query: str) -> str:
        pairs = "&".join(f"{key}={value}" for key, value in query.items())
        return f"/runtime/webhooks/durabletask/{path}?code={self.host.keys.durable_system}&{pairs}"

    async def until_finished(self, instance_id: str) -> dict[str, Any]:
        return await self.until(instance_id, lambda body: body["runtimeStatus"] not in ("Pending", "Running"))

    async def until(self, instance_id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            reply = await self.client.get(self.management(f"instances/{instance_id}"))
            body: dict[str, Any] = reply.json()
            if holds(body):
                return body
            await asyncio.sleep(0)


async def until(holds: Callable[[], bool], clock: VirtualClock | None = None) -> None:
    """Let tasks run, and time pass from alarm to alarm, until something holds."""
    async with asyncio.timeout(HANG_GUARD_S):
        while not holds():
            await asyncio.sleep(0)
            due = clock.next_alarm() if clock else None
            if clock and due and not holds():
                clock.advance_to(due)


def write_app(directory: Path, source: str, **files: Any) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "function_app.py").write_text(source, encoding="utf-8")
    (directory / "host.json").write_text(json.dumps(files.get("host_json", {"version": "2.0"})), encoding="utf-8")
    if "settings" in files:
        values = {"IsEncrypted": False, "Values": files["settings"]}
        (directory / "local.settings.json").write_text(json.dumps(values), encoding="utf-8")
    return directory


def loaded(directory: Path, source: str, **files: Any) -> LoadedApp:
    """Load an app and leave the import path and the modules as they were."""
    path, module = list(sys.path), sys.modules.get("function_app")
    try:
        return load_app(write_app(directory, source, **files))
    finally:
        sys.path[:] = path
        sys.modules.pop("function_app", None)
        if module is not None:
            sys.modules["function_app"] = module


@asynccontextmanager
async def serving(
    directory: Path, source: str, *, clock: VirtualClock | None = None, body_bytes_max: int = 1_000_000, **files: Any
) -> AsyncIterator[Served]:
    """Serve an app on a free port of this event loop."""
    app = loaded(directory / "app", source, **files)
    data = directory / "data"
    data.mkdir(exist_ok=True)
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    base_url = f"http://127.0.0.1:{port}"
    host = Host(app, Keys.load_or_create(data / "keys.json"), HostSettings(base_url=base_url, data=data), clock)
    server = Server(AsgiApp(host.handle, guard=Guard(port=port), body_bytes_max=body_bytes_max))
    host.start()
    serve = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with httpx.AsyncClient(base_url=base_url, timeout=HANG_GUARD_S) as client:
            yield Served(host, client, base_url)
    finally:
        server.should_exit = True
        await serve
        await host.stop()
        listener.close()
