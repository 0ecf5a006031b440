"""One POST over a socket: what is sent, and how answers of every shape are read."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.waiting import HANG_GUARD_S
from worker.environment import ReportAddress, parse_address
from worker.http_post import Answer, post

OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


class Peer:
    """A server for one connection: it answers in the given pieces, and keeps the request."""

    def __init__(self, *pieces: bytes, reads: bool = True) -> None:
        self.received = b""
        self._pieces = pieces
        self._reads = reads
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def address(self) -> ReportAddress:
        return parse_address(f"http://127.0.0.1:{self._listening.getsockname()[1]}/reports?code=1")

    def close(self) -> None:
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            while self._reads and not self.received.endswith(b"}"):
                self.received += connection.recv(65_536)
            with suppress(OSError):  # the worker reads only as much as it needs
                for piece in self._pieces:
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass


Answering = Callable[..., Peer]


@pytest.fixture
def answering() -> Iterator[Answering]:
    peers: list[Peer] = []

    def answering(*pieces: bytes, reads: bool = True) -> Peer:
        peers.append(Peer(*pieces, reads=reads))
        return peers[-1]

    yield answering
    for peer in peers:
        peer.close()


def sent_to(peer: Peer, body: bytes = b"{}") -> Answer:
    return post(peer.address, token="secret", body=body, timeout_s=HANG_GUARD_S)


def test_the_request_is_complete(answering: Answering) -> None:
    peer = answering(OK)
    assert sent_to(peer, b'{"a": 1}').status == 202
    head, _, body = peer.received.partition(b"\r\n\r\n")
    request, *headers = head.decode().split("\r\n")
    assert request == "POST /reports?code=1 HTTP/1.1"
    assert dict(line.split(": ", 1) for line in headers) == {
        "Host": peer.address.authority,
        "Authorization": "Bearer secret",
        "Content-Type": "application/json",
        "Content-Length": "8",
        "User-Agent": "mayfly-worker",
        "Connection": "close",
    }
    assert body == b'{"a": 1}'


def test_an_answer_may_arrive_in_pieces(answering: Answering) -> None:
    answer = sent_to(answering(*(bytes([byte]) for byte in OK)))
    assert (answer.status, answer.detail, answer.retry_after_s) == (202, "{}", None)


@pytest.mark.parametrize(
    ("headers", "retry_after_s"),
    [
        (b"Retry-After: 7", 7),
        (b"retry-after:  7 ", 7),
        (b"Retry-After: tomorrow", None),
        (b"Retry-After: \xb2", None),
        (b"Retry-After: " + b"9" * 5_000, None),
        (b"Content-Length: \xb2", None),
        (b"Content-Length: " + b"9" * 5_000, None),
        (b"no colon", None),
    ],
)
def test_odd_headers_are_ignored(answering: Answering, headers: bytes, retry_after_s: int | None) -> None:
    answer = sent_to(answering(b"HTTP/1.1 503 Busy\r\n" + headers + b"\r\n\r\n"))
    assert (answer.status, answer.retry_after_s) == (503, retry_after_s)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 202 Accepted\r\n",
        b"SSH-2.0-hello\r\n\r\n",
        b"HTTP/1.1 \xb2\xb2\xb2\r\n\r\n",
        b"HTTP/1.1 " + b"2" * 5_000 + b"\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nX: " + b"x" * 70_000,
    ],
    ids=["nothing", "half", "not HTTP", "superscript", "too many digits", "endless headers"],
)
def test_anything_but_an_answer_is_an_error_that_is_retried(answering: Answering, raw: bytes) -> None:
    with pytest.raises(OSError, match=r"closed before|not HTTP|longer than"):
        sent_to(answering(raw))


def test_a_body_is_read_only_as_far_as_it_is_worth_printing(answering: Answering) -> None:
    answer = sent_to(answering(b"HTTP/1.1 422 No\r\n\r\n" + b"x" * 200_000))
    assert answer.detail == "x" * 4_096


def test_the_answer_to_a_body_that_was_not_read_counts(answering: Answering) -> None:
    """A server that rejects a large body may answer before it has read all of it."""
    peer = answering(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", reads=False)
    assert sent_to(peer, b"x" * 2_000_000).status == 413


def test_a_closed_port_is_an_error() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = parse_address(f"http://127.0.0.1:{closed.getsockname()[1]}/")
        with pytest.raises(ConnectionRefusedError):
            post(address, token="secret", body=b"{}", timeout_s=HANG_GUARD_S)


def test_a_server_that_never_answers_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = parse_address(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        with pytest.raises(TimeoutError):
            post(address, token="secret", body=b"{}", timeout_s=0.05)
