"""What can the owner of the host do besides calling functions? Inspect it, run functions manually, and use queues.

- `GET /`: a liveness check; no key.
- `GET /admin/host/status`, `GET /admin/functions`: inspect the host; master key.
- `POST /admin/functions/{name}` with `{"input": "..."}`: run a timer, feed or queue function once; master key; 202.
- `POST /runtime/webhooks/queues/{queue}`: send the request's body as a message; a host key. The header `message-id` or
  the query parameter `messageId` sets the message id. The header `application-properties` may hold a JSON object.
- `GET /runtime/webhooks/queues/{queue}/deadletter`: list dead letters; a host key.

Source: learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http. The queue endpoints are specific to
this host.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from local_host.app.functions import SERVICE_BUS, STORAGE_QUEUE, Function
from local_host.app.loading import LoadedApp
from local_host.triggers.queues import Queues, describe
from local_host.web.http_messages import json_response, origin_of, problem
from local_host.web.keys import ADMIN, FUNCTION, Keys

log = logging.getLogger("local_host.web.admin")


class Admin:
    """Handles administration requests."""

    def __init__(
        self, app: LoadedApp, *, keys: Keys, queues: Queues, run_once: Mapping[str, Callable[[str], Awaitable[None]]]
    ) -> None:
        """`run_once` maps the names of functions that can be run manually to callables that take the input text."""
        self._app = app
        self._keys = keys
        self._queues = queues
        self._run_once = {name.lower(): run for name, run in run_once.items()}
        self._queue_names = {
            str(f.trigger["queueName"]).lower() for f in app.functions if f.kind in (SERVICE_BUS, STORAGE_QUEUE)
        }
        self._running: set[asyncio.Task[None]] = set()

    async def handle(self, request: Request, path: str) -> Response | None:
        """Handle a request, or return `None` if the path is not an administration path."""
        parts = path.split("/") if path else []
        match [request.method, *parts]:
            case ["GET" | "HEAD"]:
                return PlainTextResponse("The local Functions host is running.\n")
            case [_, "admin", *_] if not self._keys.allow(ADMIN, request):
                return Response(status_code=401)
            case ["GET", "admin", "host", "status"]:
                return json_response(200, {"state": "Running", "id": "local", "version": "4.0.0-local"})
            case ["GET", "admin", "functions"]:
                return json_response(200, [_listed(function, request) for function in self._app.functions])
            case ["GET", "admin", "functions", name]:
                known = [f for f in self._app.functions if f.name.lower() == name.lower()]
                return json_response(200, _listed(known[0], request)) if known else Response(status_code=404)
            case ["POST", "admin", "functions", name]:
                return await self._run(request, name)
            case [_, "runtime", "webhooks", "queues", *_] if not self._keys.allow(FUNCTION, request):
                return Response(status_code=401)
            case ["POST", "runtime", "webhooks", "queues", queue]:
                return await self._send(request, queue)
            case ["GET", "runtime", "webhooks", "queues", queue, "deadletter"]:
                return json_response(200, [describe(message) for message in self._queues.dead_letters(queue)])
            case [_, "admin", *_] | [_, "runtime", *_]:
                return Response(status_code=404)
            case _:
                return None

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self, request: Request, name: str) -> Response:
        run = self._run_once.get(name.lower())
        if run is None:
            listed = ", ".join(sorted(self._run_once)) or "none"
            detail = f"This app has no timer, change feed or queue function named '{name}' (it has: {listed})."
            return problem(404, "No such function", detail)
        try:
            body = json.loads(await request.body() or "{}")
            text = body.get("input") or ""
        except (ValueError, AttributeError):
            return problem(400, "Bad request", 'The body must be JSON such as {"input": "..."}.')
        task = asyncio.create_task(self._watch(name, run(text if isinstance(text, str) else json.dumps(text))))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return Response(status_code=202)

    async def _watch(self, name: str, run: Awaitable[None]) -> None:
        try:
            await run
        except Exception:
            log.exception("Function '%s' failed in a manual run.", name)

    async def _send(self, request: Request, queue: str) -> Response:
        if queue.lower() not in self._queue_names:
            listed = ", ".join(sorted(self._queue_names)) or "none"
            return problem(
                404, "No such queue", f"No function of this app reads the queue '{queue}' (its queues: {listed})."
            )
        properties = request.headers.get("application-properties", "{}")
        try:
            is_object = isinstance(json.loads(properties), dict)
        except ValueError:
            is_object = False
        if not is_object:
            detail = f'The header application-properties must be a JSON object such as {{"n": 1}} (got {properties!r}).'
            return problem(400, "Bad request", detail)
        message_id = self._queues.send(
            queue,
            await request.body(),
            message_id=request.headers.get("message-id") or request.query_params.get("messageId"),
            content_type=request.headers.get("content-type"),
            properties=properties,
        )
        return json_response(201, {"messageId": message_id})


def _listed(function: Function, request: Request) -> dict[str, object]:
    return {
        "name": function.name,
        "config": {"bindings": [dict(function.trigger)]},
        "href": f"{origin_of(request)}/admin/functions/{function.name}",
        "language": "python",
    }
