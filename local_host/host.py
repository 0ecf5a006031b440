"""What makes up a running host? The composition root: everything is created, started and stopped here.

A host has an app, a data directory and a clock. `start` begins its work and `stop` ends it. `handle` is its whole HTTP
interface; `web.server` adds the sockets.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from local_host.app import functions
from local_host.app.invocation import Invoker
from local_host.app.loading import LoadedApp
from local_host.clock import Clock, SystemClock
from local_host.durable.engine import Engine
from local_host.durable.hub import TaskHub
from local_host.durable.runner import Runner
from local_host.durable.sdk import ClientRoute, close_client_session
from local_host.triggers.change_feed import ChangeFeedTrigger
from local_host.triggers.queues import Queues, QueueTrigger
from local_host.triggers.sqlite_feed import SqliteFeedTrigger
from local_host.triggers.timers import TimerTrigger
from local_host.web.admin import Admin
from local_host.web.binding import client_binding
from local_host.web.http_functions import HttpFunctions
from local_host.web.http_messages import problem, request_to
from local_host.web.keys import Keys
from local_host.web.management import Management

log = logging.getLogger("local_host")

PUBLIC_PATH = "runtime/webhooks/durabletask"
_TRIGGER_WORDS = {
    functions.TIMER: "timer",
    functions.FEED: "feed",
    functions.SERVICE_BUS: "queue",
    functions.STORAGE_QUEUE: "queue",
}


@dataclass(frozen=True, kw_only=True)
class HostSettings:
    """The settings of a host.

    Shapes: `base_url` is the host's public URL, without a slash at the end. `data` is the data directory; `None` keeps
    the task hub in memory. `environment` holds the app settings.
    """

    base_url: str
    data: Path | None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


class Host:
    """One running app."""

    def __init__(self, app: LoadedApp, keys: Keys, settings: HostSettings, clock: Clock | None = None) -> None:
        self.app = app
        self.keys = keys
        self.clock: Clock = clock or SystemClock()
        self.hub = TaskHub(None if settings.data is None else settings.data / "hub.db")
        self._base_url = settings.base_url
        # The loopback base needs no key, so its path must be impossible to guess.
        self._rpc_path = f"durabletask/{secrets.token_urlsafe(32)}"
        self._hub_name = str(app.option("extensions", "durableTask", "hubName", default="LocalHub"))
        self._link_query = f"taskHub={self._hub_name}&connection=Storage&code={keys.durable_system}"
        self._binding = client_binding(
            public_base=f"{settings.base_url}/{PUBLIC_PATH}",
            rpc_base=f"{settings.base_url}/{self._rpc_path}/",
            hub_name=self._hub_name,
            link_query=self._link_query,
        )
        self.invoker = Invoker(directory=app.directory, client_binding=self._binding)
        self.engine = Engine(
            hub=self.hub,
            clock=self.clock,
            orchestrators={f.durable_name: f.call for f in app.functions if f.kind == functions.ORCHESTRATION},
            activities={
                f.durable_name: partial(self.invoker.call, f) for f in app.functions if f.kind == functions.ACTIVITY
            },
            default_version=str(app.option("extensions", "durableTask", "defaultVersion", default="")),
        )
        self.queues = Queues(self.hub, self.clock)
        self._runner = Runner(self.engine, activities_max=_activities_max(app))
        self._environment = settings.environment
        triggers = (self._trigger(function) for function in app.functions)
        self._triggers = {trigger.function.name: trigger for trigger in triggers if trigger is not None}
        self._management = Management(self.engine, link_query=self._link_query)
        prefix = str(app.option("extensions", "http", "routePrefix", default="api"))
        self.http = HttpFunctions(app.functions, invoker=self.invoker, keys=keys, prefix=prefix)
        self._admin = Admin(
            app,
            keys=keys,
            queues=self.queues,
            run_once={name: trigger.run_once for name, trigger in self._triggers.items()},
        )
        self._route: ClientRoute | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.failed = asyncio.Event()
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Start all work. Call it on the event loop."""
        self._route = ClientRoute(f"{self._base_url}/{self._rpc_path}/", self._call_in_process)
        self._spawn("the engine", self._runner.run)
        for name, trigger in self._triggers.items():
            self._spawn(f"the {_TRIGGER_WORDS[trigger.function.kind]} trigger '{name}'", trigger.run)

    async def stop(self) -> None:
        """Stop all work. Unfinished work is repeated at the next start."""
        self._runner.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._admin.stop()
        if self._route is not None:
            self._route.close()
        await close_client_session()
        self.invoker.close()
        self.hub.close()

    async def handle(self, request: Request) -> Response:
        """Handle one request that passed the guard."""
        path = str(request.scope["path"]).strip("/")
        if path == PUBLIC_PATH or path.lower().startswith(f"{PUBLIC_PATH}/"):
            if not self.keys.allow_management(request):
                return Response(status_code=401)
            return await self._manage(request, path[len(PUBLIC_PATH) + 1 :])
        if path.startswith(f"{self._rpc_path}/"):
            return await self._manage(request, path[len(self._rpc_path) + 1 :])
        response = await self._admin.handle(request, path) or await self.http.handle(request)
        return response or problem(404, "Not found", f"No function handles {request.method} /{path}.")

    async def _manage(self, request: Request, path: str) -> Response:
        return await self._management.handle(request, path, link_base=f"{self._base_url}/{PUBLIC_PATH}")

    async def _call_in_process(self, method: str, url: str, body: str | None) -> list[Any]:
        path = unquote(urlsplit(url).path)
        request = request_to(method, url, path=path, body=b"" if body is None else body.encode())
        response = await self._manage(request, path[len(self._rpc_path) + 2 :])
        return [response.status_code, json.loads(bytes(response.body)) if response.body else None]

    def _trigger(self, function: functions.Function) -> TimerTrigger | ChangeFeedTrigger | QueueTrigger | None:
        match function.kind:
            case functions.TIMER:
                return TimerTrigger(function, hub=self.hub, clock=self.clock, invoker=self.invoker)
            case functions.FEED:
                return self._feed(function)
            case functions.SERVICE_BUS:
                return self._queue(function, "serviceBus", "maxDeliveryCount", 10, "maxConcurrentCalls")
            case functions.STORAGE_QUEUE:
                return self._queue(function, "queues", "maxDequeueCount", 5, "batchSize")
        return None

    def _feed(self, function: functions.Function) -> ChangeFeedTrigger:
        kind: type[ChangeFeedTrigger] = SqliteFeedTrigger
        if self._environment[function.trigger["connection"]].startswith(functions.COSMOS_CONNECTION):
            from local_host.triggers.cosmos_feed import CosmosFeedTrigger  # importing its SDK takes half a second

            kind = CosmosFeedTrigger
        return kind(function, settings=self._environment, hub=self.hub, clock=self.clock, invoker=self.invoker)

    def _queue(
        self, function: functions.Function, section: str, deliveries: str, deliveries_max: int, concurrent: str
    ) -> QueueTrigger:
        return QueueTrigger(
            function,
            queues=self.queues,
            invoker=self.invoker,
            deliveries_max=int(self.app.option("extensions", section, deliveries, default=deliveries_max)),
            concurrent_max=int(self.app.option("extensions", section, concurrent, default=16)),
        )

    def _spawn(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def watched() -> None:
            try:
                await run()
            except Exception as failure:
                log.exception("Stopping the host because %s failed.", name)
                self.failure = failure
                self.failed.set()

        self._tasks.append(asyncio.create_task(watched(), name=name))


def _activities_max(app: LoadedApp) -> int:
    given = app.option("extensions", "durableTask", "maxConcurrentActivityFunctions")
    return int(given) if given else 10 * (os.cpu_count() or 1)
