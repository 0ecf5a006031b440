"""What can the owner of the host do besides calling functions? Look, run a function by hand, and use the queues.

- `GET /` says that the host is there.
- `GET /admin/host/status`, `GET /admin/functions`: master key.
- `POST /admin/functions/{name}` with `{"input": "..."}`: run a timer, feed or queue function once; master key; 202.
- `POST /runtime/webhooks/queues/{queue}`: send a message, the body as it is; a host key. The message id is taken from
  the header `message-id` or the query `messageId`; `application-properties` may hold a JSON object.
- `GET /runtime/webhooks/queues/{queue}/deadletter`: list dead letters; a host key.

Source: learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http. The queue pages are this host's own.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping

from local_host.app.functions import SERVICE_BUS, STORAGE_QUEUE
from local_host.app.loading import LoadedApp
from local_host.triggers.queues import Queues, describe
from local_host.web.keys import ADMIN, FUNCTION, Keys
from local_host.web.wire import Reply, Request, json_reply, problem

log = logging.getLogger("local_host.web.admin")


class Admin:
    def __init__(
        self,
        app: LoadedApp,
        *,
        keys: Keys,
        queues: Queues,
        run_once: Mapping[str, Callable[[str], Awaitable[None]]],
    ) -> None:
        """`run_once` holds the functions that can be run by hand, by name; they take the input text."""
        self._app = app
        self._keys = keys
        self._queues = queues
        self._run_once = {name.lower(): run for name, run in run_once.items()}
        self._queue_names = {
            str(f.trigger["queueName"]).lower() for f in app.functions if f.kind in (SERVICE_BUS, STORAGE_QUEUE)
        }
        self._running: set[asyncio.Task[None]] = set()

    async def answer(self, request: Request, path: str) -> Reply | None:
        """Answer, or return `None` when the path is none of ours."""
        parts = path.split("/") if path else []
        match [request.method, *parts]:
            case ["GET" | "HEAD"]:
                text = b"The local Functions host is running.\n"
                return Reply(status=200, headers=(("Content-Type", "text/plain; charset=utf-8"),), body=text)
            case [_, "admin", *_] if not self._keys.open(ADMIN, request):
                return Reply(status=401)
            case ["GET", "admin", "host", "status"]:
                return json_reply(200, {"state": "Running", "id": "local", "version": "4.0.0-local"})
            case ["GET", "admin", "functions"]:
                return json_reply(200, [self._listed(f.name, request) for f in self._app.functions])
            case ["GET", "admin", "functions", name]:
                known = [f.name for f in self._app.functions if f.name.lower() == name.lower()]
                return json_reply(200, self._listed(known[0], request)) if known else Reply(status=404)
            case ["POST", "admin", "functions", name]:
                return self._run(request, name)
            case [_, "runtime", "webhooks", "queues", *_] if not self._keys.open(FUNCTION, request):
                return Reply(status=401)
            case ["POST", "runtime", "webhooks", "queues", queue]:
                return self._send(request, queue)
            case ["GET", "runtime", "webhooks", "queues", queue, "deadletter"]:
                return json_reply(200, [describe(message) for message in self._queues.dead_letters(queue)])
            case [_, "admin", *_] | [_, "runtime", *_]:
                return Reply(status=404)
            case _:
                return None

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _listed(self, name: str, request: Request) -> dict[str, object]:
        function = next(f for f in self._app.functions if f.name == name)
        return {
            "name": name,
            "config": {"bindings": [dict(function.trigger)]},
            "href": f"{request.base_url}/admin/functions/{name}",
            "language": "python",
        }

    def _run(self, request: Request, name: str) -> Reply:
        run = self._run_once.get(name.lower())
        if run is None:
            detail = f"'{name}' is not a timer, change feed or queue function of this app."
            return problem(404, "No such function", detail)
        try:
            body = json.loads(request.body) if request.body else {}
            text = body.get("input") or ""
        except (ValueError, AttributeError):
            return problem(400, "Bad request", 'The body must be JSON such as {"input": "..."}.')
        task = asyncio.create_task(self._watch(name, run(text if isinstance(text, str) else json.dumps(text))))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return Reply(status=202)

    async def _watch(self, name: str, run: Awaitable[None]) -> None:
        try:
            await run
        except Exception:
            log.exception("Function '%s', run by hand, failed.", name)

    def _send(self, request: Request, queue: str) -> Reply:
        if queue.lower() not in self._queue_names:
            listed = ", ".join(sorted(self._queue_names)) or "none"
            return problem(404, "No such queue", f"No function reads the queue '{queue}' (queues: {listed}).")
        properties = request.headers.get("application-properties", "{}")
        try:
            is_object = isinstance(json.loads(properties), dict)
        except ValueError:
            is_object = False
        if not is_object:
            return problem(400, "Bad request", "The header application-properties must hold a JSON object.")
        message_id = self._queues.send(
            queue,
            request.body,
            message_id=request.headers.get("message-id") or request.query.get("messageId"),
            content_type=request.headers.get("content-type"),
            properties=properties,
        )
        return json_reply(201, {"messageId": message_id})
