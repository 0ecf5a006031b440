"""An HTTP server that answers from a script and records its requests."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False
    """Close the connection without an answer, like a host that is killed."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class ScriptedApi:
    """Answers each `METHOD path` (path without query) from its list; the last answer of a list is repeated."""

    def __init__(self, script: Mapping[str, Sequence[Answer]]) -> None:
        self.asked: list[Asked] = []
        self._script = {name: list(answers) for name, answers in script.items()}
        self._lock = threading.Lock()
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api._answer(self)

            def do_POST(self) -> None:
                api._answer(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @contextmanager
    def serving(self) -> Iterator[ScriptedApi]:
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def requests(self, name: str) -> list[Asked]:
        return [asked for asked in self.asked if f"{asked.method} {asked.path.partition('?')[0]}" == name]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        name = f"{handler.command} {handler.path.partition('?')[0]}"
        with self._lock:
            parsed = json.loads(body) if body else None
            self.asked.append(Asked(method=handler.command, path=handler.path, headers=headers, body=parsed))
            answers = self._script.get(name, [Answer(status=404, body={"title": f"nothing at {name}"})])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.hang_up:
            handler.close_connection = True
            return
        payload = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        handler.send_response(answer.status)
        for header, value in answer.headers.items():
            handler.send_header(header, value)
        handler.send_header("Content-Length", str(len(payload)))
        handler.end_headers()
        handler.wfile.write(payload)


def problem(status: int, title: str, *errors: tuple[str, str]) -> Answer:
    listed = [{"field": name, "message": message} for name, message in errors]
    return Answer(status=status, body={"type": "about:blank", "title": title, "status": status, "errors": listed})
