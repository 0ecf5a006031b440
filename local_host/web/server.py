"""How does HTTP come to the host? ASGI on one port, guarded before anything is read.

Source: asgi.readthedocs.io/en/latest/specs/www.html.
"""

from __future__ import annotations

import importlib.util
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from local_host.errors import Refused
from local_host.web.guard import Guard
from local_host.web.wire import Reply, Request, problem

log = logging.getLogger("local_host.web.server")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_BYTES_MAX = 100_000_000
"""Source: learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger (100 MB)."""


class Front:
    """The ASGI app: guard, body, answer."""

    def __init__(
        self,
        answer: Callable[[Request], Awaitable[Reply]],
        *,
        guard: Guard,
        body_bytes_max: int = BODY_BYTES_MAX,
    ) -> None:
        self._answer = answer
        self._guard = guard
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        if scope["type"] != "http":
            return
        reply = await self._reply(scope, receive)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
        if not any(name.lower() == b"content-length" for name, _ in headers) and reply.status not in (204, 304):
            headers.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else reply.body
        await send({"type": "http.response.body", "body": body})

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        objection = self._guard.objection(headers)
        if objection is not None:
            log.warning("Refused %s %s: %s", scope["method"], scope["path"], objection)
            return problem(403, "Forbidden", objection)
        body = await self._read(headers, receive)
        if body is None:
            return problem(413, "Content too large", f"A request may carry {self._body_bytes_max} bytes at most.")
        try:
            return await self._answer(_request(scope, headers, body))
        except Exception:
            log.exception("%s %s failed.", scope["method"], scope["path"])
            return problem(500, "Internal error", "The host failed on this request; its log says how.")

    async def _read(self, headers: dict[str, str], receive: Receive) -> bytes | None:
        """Return the body, or `None` when it is too large, without having read it all."""
        announced = headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > self._body_bytes_max:
            return None
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._body_bytes_max:
                return None
            chunks.append(chunk)
            if not message.get("more_body"):
                return b"".join(chunks)


def bind(host: str, port: int) -> socket.socket:
    """Take the port; 0 takes a free one. Errors: `Refused` when it is taken or not ours to take."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host.strip("[]"), port))
        # Whoever comes while the app is still being loaded waits instead of being turned away.
        taken.listen(_BACKLOG)
    except OSError as fault:
        taken.close()
        raise Refused(f"Cannot listen on {host}:{port}: {fault.strerror}. Give --port another number.") from fault
    return taken


_BACKLOG = 2048


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the command line has its own, which end the process with code 0."""

    def __init__(self, front: Front) -> None:
        config = uvicorn.Config(
            front,
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


def _request(scope: Scope, headers: dict[str, str], body: bytes) -> Request:
    query = scope["query_string"].decode("latin-1")
    base_url = f"{scope['scheme']}://{headers.get('host', '')}"
    path = scope["path"]
    raw_path = scope.get("raw_path", path.encode()).decode("latin-1")
    return Request(
        method=scope["method"],
        path=path,
        base_url=base_url,
        url=f"{base_url}{raw_path}" + (f"?{query}" if query else ""),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=body,
    )
