"""The ASGI app without a socket: bodies that never end, clients that leave, handlers that raise; and the port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from local_host.errors import StartupError
from local_host.web.guard import Guard
from local_host.web.server import AsgiApp, bind

BODY = {"type": "http.request", "body": b"x" * 6, "more_body": True}
LAST = {"type": "http.request", "body": b"y" * 4}
GONE = {"type": "http.disconnect"}


def talk(messages: Iterable[dict[str, Any]], *headers: tuple[bytes, bytes], fail: bool = False) -> tuple[int, int, Any]:
    """Return the status (0 for no response), the number of messages left unread, and the body that was handled."""
    left, sent, handled = list(messages), [], []

    async def handle(request: Request) -> Response:
        if fail:
            raise RuntimeError("secret detail")
        handled.append(await request.body())
        return PlainTextResponse("hi")

    async def receive() -> dict[str, Any]:
        return left.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", b"localhost:7071"), *headers],
    }
    app = AsgiApp(handle, guard=Guard(port=7071), body_bytes_max=10)
    asyncio.run(app(scope, receive, send))
    return (sent[0]["status"] if sent else 0, len(left), handled[0] if handled else None)


def test_a_body_is_read_before_it_is_handled() -> None:
    assert talk([BODY, LAST]) == (200, 0, b"x" * 6 + b"y" * 4)


def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    assert talk([BODY, BODY, BODY, BODY]) == (413, 2, None)
    assert talk([BODY, LAST], (b"content-length", b"11")) == (413, 2, None)


def test_a_client_that_leaves_in_the_middle_of_its_body_is_not_handled() -> None:
    assert talk([BODY, GONE]) == (0, 0, None)


def test_the_body_of_a_rejected_request_is_not_read() -> None:
    assert talk([BODY, LAST], (b"host", b"evil.example")) == (403, 2, None)


def test_a_handler_that_raises_is_500_and_its_details_are_only_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    assert talk([LAST], fail=True) == (500, 0, None)
    assert "secret detail" in caplog.text


def test_a_port_that_is_taken_is_named_with_the_fix() -> None:
    taken = bind("127.0.0.1", 0)
    with taken, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StartupError, match=f"Cannot listen on 127.0.0.1:{port}: .* --port"):
            bind("127.0.0.1", port)
