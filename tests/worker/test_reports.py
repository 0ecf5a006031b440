"""The worker's reaction to each answer, and to no answer."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.waiting import HANG_GUARD_S, Gate, until
from tests.worker.conftest import TOKEN, Start
from tests.worker.report_server import Answer, ReportServer
from worker.environment import parse_address
from worker.http_post import post

Run = Callable[..., subprocess.CompletedProcess[bytes]]


def test_the_reports_are_as_the_contract_says(server: ReportServer, start: Start, gate: Gate) -> None:
    worker = start(
        "sh", "-c", f'echo "::progress 0.5 half way"; echo work; {gate.wait}; echo "::result {{\\"a\\": [1, \\"é\\"]}}"'
    )
    until(lambda: server.of_type("progress"))
    gate.let_pass()
    worker.communicate(timeout=HANG_GUARD_S)
    assert worker.returncode == 0
    started, progress, finished = (report.body for report in server.reports)
    claim = started["claim"]
    assert len(claim) == 32
    assert int(claim, 16) >= 0
    assert started == {"type": "started", "claim": claim}
    assert progress == {"type": "progress", "claim": claim, "sequence": 1, "fraction": 0.5, "message": "half way"}
    usage = finished.pop("usage")
    assert usage["cpu_s"] > 0
    assert 100_000 < usage["memory_peak_bytes"] < 1_000_000_000
    assert finished == {
        "type": "finished",
        "claim": claim,
        "outcome": "succeeded",
        "exit_code": 0,
        "result": {"a": [1, "é"]},
        "output_tail": '::progress 0.5 half way\nwork\n::result {"a": [1, "é"]}\n',
    }
    for report in server.reports:
        assert report.path == "/api/jobs/job-1/reports"
        assert report.headers["Authorization"] == f"Bearer {TOKEN}"
        assert report.headers["Content-Type"] == "application/json"


def test_a_silent_command_gets_heartbeats(server: ReportServer, start: Start, gate: Gate) -> None:
    def told() -> list[tuple[float | None, str]]:
        return [(report.body["fraction"], report.body["message"]) for report in server.of_type("progress")]

    script = f'{gate.wait}; echo "::progress 0.5 half"; {gate.wait}'
    worker = start("sh", "-c", script, MAYFLY_ALIVE_SECONDS="0.2")
    until(told)
    gate.let_pass()
    until(lambda: told().count((0.5, "half")) >= 2)  # the last progress is repeated
    gate.let_pass()
    worker.communicate(timeout=HANG_GUARD_S)
    assert worker.returncode == 0
    assert told()[0] == (None, ""), "the first heartbeat has no progress"
    assert told() == sorted(told(), key=lambda one: one[0] or 0.0)
    sequences = [report.body["sequence"] for report in server.of_type("progress")]
    assert sequences == [*range(1, len(sequences) + 1)]


def test_a_silent_command_is_stopped_when_its_job_is_over(server: ReportServer, run: Run) -> None:
    server.script["progress"] = [410]
    ended = run("sleep", "86400", MAYFLY_ALIVE_SECONDS="0.2")
    assert ended.returncode == 0
    assert server.of_type("finished") == []


def test_each_process_has_another_claim(server: ReportServer, run: Run) -> None:
    run("true")
    run("true")
    assert len({report.body["claim"] for report in server.reports}) == 2


@pytest.mark.parametrize("status", [409, 410])
def test_an_unneeded_worker_does_no_work_and_exits_with_0(server: ReportServer, run: Run, status: int) -> None:
    """I4: a container that the platform restarted finds its attempt claimed."""
    server.script["started"] = [status]
    ended = run("sh", "-c", "echo worked")
    assert (ended.returncode, ended.stdout) == (0, b"")
    assert [report.body["type"] for report in server.reports] == ["started"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_rejected_token_is_never_retried(server: ReportServer, run: Run, status: int) -> None:
    server.script["started"] = [Answer(status, body=b'{"title": "token expired"}')]
    ended = run("sh", "-c", "echo worked")
    assert (ended.returncode, ended.stdout) == (77, b"")
    assert b"token expired" in ended.stderr
    assert TOKEN.encode() not in ended.stderr
    assert len(server.reports) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_rejected_claim_ends_the_worker(server: ReportServer, run: Run, status: int) -> None:
    server.script["started"] = [status]
    ended = run("sh", "-c", "echo worked")
    assert (ended.returncode, ended.stdout) == (70, b"")


@pytest.mark.parametrize("status", [200, 202])
def test_a_claim_that_is_already_recorded_continues(server: ReportServer, run: Run, status: int) -> None:
    server.script["started"] = [status]
    assert run("sh", "-c", "echo worked").stdout == b"worked\n"


@pytest.mark.parametrize("status", [200, 202, 409, 410])
def test_the_outcome_is_reported_until_it_is_answered(server: ReportServer, run: Run, status: int) -> None:
    server.script["finished"] = [status]
    assert run("false").returncode == 0
    assert len(server.of_type("finished")) == 1


@pytest.mark.parametrize("kind", ["started", "finished"])
@pytest.mark.parametrize(
    "trouble",
    [
        Answer(429),
        Answer(500),
        Answer(503),
        Answer(404),
        Answer(302, {"Location": "http://elsewhere/"}),
        Answer(drop=True),
        Answer(raw=b"SSH-2.0-hello\r\n\r\n"),
        Answer(raw=b"HTTP/1.1 202 Acc"),
    ],
    ids=["429", "500", "503", "404", "302", "lost answer", "not HTTP", "half an answer"],
)
def test_a_failed_request_is_retried_with_the_same_claim(
    server: ReportServer, run: Run, kind: str, trouble: Answer
) -> None:
    server.script[kind] = [trouble, Answer(200)]
    assert run("sh", "-c", "echo worked").stdout == b"worked\n"
    first, second = server.of_type(kind)
    assert first.body == second.body


def test_a_server_that_is_down_is_retried_until_the_time_is_up(server: ReportServer, start: Start) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        worker = start("true", MAYFLY_REPORT_URL=url, MAYFLY_REPORT_SECONDS="1")
        _, errors = worker.communicate(timeout=HANG_GUARD_S)
    assert worker.returncode == 75
    assert b"gave up" in errors
    assert b"Connection refused" in errors


def test_a_host_without_an_address_is_retried_until_the_time_is_up(run: Run) -> None:
    ended = run("true", MAYFLY_REPORT_URL="http://no-such-host.invalid/", MAYFLY_REPORT_SECONDS="0.1")
    assert ended.returncode == 75


def test_the_outcome_is_retried_until_the_time_is_up(server: ReportServer, run: Run) -> None:
    server.script["finished"] = [503]
    ended = run("sh", "-c", "echo worked", MAYFLY_REPORT_SECONDS="0.5")
    assert (ended.returncode, ended.stdout) == (75, b"worked\n")
    assert b"finished: answer 503; gave up" in ended.stderr


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_rejected_outcome_is_reported_smaller_and_never_lost(server: ReportServer, run: Run, status: int) -> None:
    server.script["finished"] = [status, status, 202]
    ended = run("sh", "-c", 'echo "::result [1]"')
    assert ended.returncode == 0
    full, without_output, without_result = (report.body for report in server.of_type("finished"))
    assert (full["result"], full["output_tail"]) == ([1], "::result [1]\n")
    assert (without_output["result"], without_output["output_tail"]) == ([1], "")
    assert without_result["outcome"] == "failed"
    assert without_result["error"]["class"] == "result_invalid"
    assert "result" not in without_result


def test_a_rejected_failure_keeps_its_class(server: ReportServer, run: Run) -> None:
    server.script["finished"] = [413, 202]
    assert run("sh", "-c", "echo oh; exit 4").returncode == 0
    first, second = (report.body for report in server.of_type("finished"))
    assert second == {**first, "output_tail": ""}
    assert (second["error"]["class"], second["exit_code"]) == ("exit", 4)


def test_an_outcome_that_is_rejected_in_every_form_is_logged(server: ReportServer, run: Run) -> None:
    server.script["finished"] = [422]
    ended = run("true")
    assert ended.returncode == 70
    assert b"422" in ended.stderr


@pytest.mark.parametrize(("status", "exit_code"), [(409, 0), (410, 0), (401, 77), (403, 77)])
def test_an_answer_to_progress_can_stop_the_command(
    server: ReportServer, run: Run, status: int, exit_code: int
) -> None:
    server.script["progress"] = [status]
    ended = run("sh", "-c", "trap 'echo stopped; exit 1' TERM; echo ::progress 0.1; while :; do sleep 0.01; done")
    assert ended.returncode == exit_code
    assert ended.stdout.endswith(b"stopped\n")
    assert len(server.of_type("finished")) == 0


@pytest.mark.parametrize("trouble", [Answer(500), Answer(422), Answer(drop=True)], ids=["500", "422", "lost"])
def test_progress_that_gets_lost_does_not_matter(
    server: ReportServer, start: Start, gate: Gate, trouble: Answer
) -> None:
    server.script["progress"] = [trouble]
    worker = start("sh", "-c", f"echo ::progress 0.1; {gate.wait}")
    until(lambda: server.of_type("progress"))
    gate.let_pass()
    worker.communicate(timeout=HANG_GUARD_S)
    assert worker.returncode == 0
    assert len(server.of_type("progress")) == 1
    assert server.the_end()["outcome"] == "succeeded"


def test_progress_that_is_not_answered_holds_up_neither_the_output_nor_the_end(
    server: ReportServer, start: Start, gate: Gate
) -> None:
    server.script["progress"] = [Answer(held=True)]
    worker = start("sh", "-c", f"echo ::progress 0.1; {gate.wait}; seq 1 100000")
    until(lambda: server.of_type("progress"))
    gate.let_pass()
    output, _ = worker.communicate(timeout=HANG_GUARD_S)
    assert output.endswith(b"\n100000\n")
    assert server.the_end()["outcome"] == "succeeded"
    assert not server.release.is_set()


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 202\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\ncontent-length: 1000\r\n\r\n{",
        b"HTTP/1.1 202 Accepted\r\nRetry-After: tomorrow\r\n\r\n",
    ],
    ids=["100 first", "HTTP/1.0", "chunked", "body cut short", "odd Retry-After"],
)
def test_answers_of_every_shape_are_read(server: ReportServer, run: Run, raw: bytes) -> None:
    server.script["started"] = [Answer(raw=raw)]
    assert run("sh", "-c", "echo worked").stdout == b"worked\n"
    assert len(server.of_type("started")) == 1


def test_a_server_that_keeps_the_connection_open_does_not_hold_the_worker() -> None:
    chunked = b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    answered = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(chunked)
                answered.wait()

        peer = threading.Thread(target=answer)
        peer.start()
        try:
            address = parse_address(f"http://127.0.0.1:{listening.getsockname()[1]}/")
            # A client that kept reading after the end of the body would wait for a day.
            assert post(address, token="t", body=b"{}", timeout_s=86_400).status == 202
        finally:
            answered.set()
            peer.join()


def test_https_works_and_an_unknown_certificate_is_rejected(run: Run, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*make, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    code = (
        "import http.server, ssl, sys\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_POST(self):\n"
        "        self.rfile.read(int(self.headers['Content-Length']))\n"
        "        self.send_response(202); self.end_headers()\n"
        "    def log_message(self, *arguments): pass\n"
        "server = http.server.ThreadingHTTPServer(('localhost', 0), Handler)\n"
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
        f"context.load_cert_chain({str(certificate)!r}, {str(key)!r})\n"
        "server.socket = context.wrap_socket(server.socket, server_side=True)\n"
        "print(server.server_address[1], flush=True)\n"
        "server.serve_forever()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as peer:
        assert peer.stdout is not None
        url = f"https://localhost:{int(peer.stdout.readline())}/reports"
        try:
            trusted = run("sh", "-c", "echo worked", MAYFLY_REPORT_URL=url, SSL_CERT_FILE=str(certificate))
            unknown = run("true", MAYFLY_REPORT_URL=url, MAYFLY_REPORT_SECONDS="0")
        finally:
            peer.kill()
    assert (trusted.returncode, trusted.stdout) == (0, b"worked\n")
    assert unknown.returncode == 75
    assert b"CERTIFICATE_VERIFY_FAILED" in unknown.stderr
