"""A real HTTP server that answers reports from a script and keeps the requests."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """`held`: given once the server's `release` is set. `drop`: the connection is closed with no answer."""

    status: int = 202
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    held: bool = False
    drop: bool = False
    raw: bytes | None = None


@dataclass(frozen=True)
class Report:
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


class ReportServer:
    """`script` has the answers for each type of report in turn; the last one stays. None scripted: 202."""

    def __init__(self) -> None:
        self.script: dict[str, list[Answer | int]] = {}
        self.reports: list[Report] = []
        self.release = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/jobs/job-1/reports"

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def of_type(self, kind: str) -> Sequence[Report]:
        with self._lock:
            return [report for report in self.reports if report.body["type"] == kind]

    def the_end(self) -> dict[str, Any]:
        """Return the one `finished` report."""
        (report,) = self.of_type("finished")
        return report.body

    def take(self, report: Report) -> Answer:
        with self._lock:
            self.reports.append(report)
            answers = self.script.get(report.body["type"], [202])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return Answer(answer) if isinstance(answer, int) else answer


def _handler(server: ReportServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            report = Report(self.path, dict(self.headers.items()), json.loads(data))
            answer = server.take(report)
            if answer.held:
                server.release.wait()
            if answer.drop:
                self.close_connection = True
                return
            try:
                if answer.raw is not None:
                    self.wfile.write(answer.raw)
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
            except OSError:
                self.close_connection = True  # The worker was killed in the meantime.

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
            pass

    return Handler
