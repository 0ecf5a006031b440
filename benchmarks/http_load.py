"""A small HTTP/1.1 client on keep-alive connections, so that the load generator costs little."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Answer:
    """Status and body of a response."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class Client:
    """A pool of connections to one loopback port."""

    def __init__(self, port: int, *, connections: int) -> None:
        self._port = port
        self._idle: asyncio.Queue[_Connection | None] = asyncio.Queue()
        for _ in range(connections):
            self._idle.put_nowait(None)

    async def call(
        self, method: str, url: str, *, headers: dict[str, str] | None = None, document: object | None = None
    ) -> Answer:
        """Send one request and return the answer."""
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        body = b"" if document is None else json.dumps(document).encode()
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", f"Content-Length: {len(body)}"]
        lines += ["Content-Type: application/json"] if body else []
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        kept = await self._idle.get()
        try:
            try:
                connection, answer = await self._exchange(kept, request)
            except (asyncio.IncompleteReadError, ConnectionError):
                if kept is None:
                    raise
                connection, answer = await self._exchange(None, request)  # the server had closed the connection
        except BaseException:
            self._idle.put_nowait(None)
            raise
        self._idle.put_nowait(connection)
        return answer

    async def _exchange(self, kept: _Connection | None, request: bytes) -> tuple[_Connection, Answer]:
        reader, writer = kept or await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(request)
        return (reader, writer), await _read(reader)

    async def close(self) -> None:
        """Close the idle connections."""
        while not self._idle.empty():
            connection = self._idle.get_nowait()
            if connection is not None:
                connection[1].close()


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split(" ", 2)[1])
    length = next((int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
    return Answer(status=status, body=await reader.readexactly(length))
