"""How do HTTP requests reach the host? Over ASGI on one port, and past the guard before their bodies are read.

Source: asgi.readthedocs.io/en/latest/specs/www.html.
"""

from __future__ import annotations

import importlib.util
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from local_host.errors import StartupError
from local_host.web.guard import Guard
from local_host.web.http_messages import joined_headers, problem

log = logging.getLogger("local_host.web.server")

BODY_BYTES_MAX = 100_000_000
"""Source: learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger (100 MB)."""


class AsgiApp:
    """The ASGI app: check a request, read its body, and pass it to `handle`."""

    def __init__(
        self, handle: Callable[[Request], Awaitable[Response]], *, guard: Guard, body_bytes_max: int = BODY_BYTES_MAX
    ) -> None:
        self._handle = handle
        self._guard = guard
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, self._limited(receive))
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        rejection = self._guard.rejection(joined_headers(request))
        if rejection is not None:
            log.warning("Rejected %s %s: %s", request.method, request.scope["path"], rejection)
            return problem(403, "Forbidden", rejection)
        announced = request.headers.get("content-length", "0")
        try:
            if announced.isdigit() and int(announced) > self._body_bytes_max:
                raise _BodyTooLarge
            await request.body()
        except _BodyTooLarge:
            return problem(413, "Content too large", f"A request body must have at most {self._body_bytes_max} bytes.")
        try:
            return await self._handle(request)
        except Exception:
            log.exception("%s %s failed.", request.method, request.scope["path"])
            return problem(500, "Internal error", "The local host failed on this request; see its log.")

    def _limited(self, receive: Receive) -> Receive:
        size = 0

        async def receive_within_limit() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._body_bytes_max:
                raise _BodyTooLarge
            return message

        return receive_within_limit


class _BodyTooLarge(Exception):
    pass


def bind(host: str, port: int) -> socket.socket:
    """Listen on a port; 0 picks a free one. Errors: `StartupError` if the port is taken or not permitted."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
        # Clients that connect while the app is still loading wait instead of being rejected.
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise StartupError(
            f"Cannot listen on {host}:{port}: {error.strerror}. Pass a different port with --port."
        ) from error
    return listener


_BACKLOG = 2048


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the command line has its own, which exit with code 0."""

    def __init__(self, app: AsgiApp) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="warning",
            loop="none",
            http="httptools" if importlib.util.find_spec("httptools") else "h11",
            ws="none",
            timeout_graceful_shutdown=3,
            server_header=False,
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
