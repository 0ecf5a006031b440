"""Send one report over HTTP/1.1 and read the answer: one connection for one request.

`http.client` would triple the CPU time of a bare worker: decision 10. This client follows no redirects, uses no proxy,
and reads only as much of the body as is worth printing. TLS and certificate checks are those of `ssl`.
"""

from __future__ import annotations

from worker.c_modules import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from worker.environment import ReportAddress

_HEAD_BYTES_MAX = 65_536
_DETAIL_BYTES_MAX = 4_096


class Answer:
    """The answer to a report.

    Shapes: `detail` is the beginning of the body, for people.
    Units: `retry_after_s` is None unless the answer has a `Retry-After` in seconds.
    """

    def __init__(self, status: int, retry_after_s: float | None, detail: str) -> None:
        self.status = status
        self.retry_after_s = retry_after_s
        self.detail = detail


def post(address: ReportAddress, *, token: str, body: bytes, timeout_s: float) -> Answer:
    """POST `body` as JSON.

    Units: `timeout_s` limits each step (connect, send, each read), not their sum.
    Errors: OSError if no answer arrived. Mayfly may have received the report even so.
    """
    head = (
        f"POST {address.target} HTTP/1.1\r\n"
        f"Host: {address.authority}\r\n"
        f"Authorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        "User-Agent: mayfly-worker\r\n"
        "Connection: close\r\n\r\n"
    )
    connection = _connect(address, timeout_s)
    try:
        try:  # noqa: SIM105 - contextlib costs 2 ms to import
            connection.sendall(head.encode("ascii") + body)
        except (BrokenPipeError, ConnectionResetError):
            # A server that rejects a large body may answer and close the connection before it has read all of it.
            pass
        return _read_answer(connection)
    finally:
        connection.close()


def _connect(address: ReportAddress, timeout_s: float) -> socket.socket:
    if address.scheme == "https":
        import socket as full_socket
        import ssl

        plain = full_socket.create_connection((address.host, address.port), timeout_s)
        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=address.host)
        except BaseException:
            plain.close()
            raise
    failure: OSError | None = None
    # As bytes: for a string Python first loads the codec for internationalized names.
    for found in socket.getaddrinfo(address.host.encode("ascii"), address.port, 0, socket.SOCK_STREAM):
        connection = socket.socket(*found[:3])
        try:
            connection.settimeout(timeout_s)
            connection.connect(found[4])
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure or OSError(f"{address.host} has no address")


def _read_answer(connection: socket.socket) -> Answer:
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            data += _receive(connection)
            if len(data) > _HEAD_BYTES_MAX:
                raise ConnectionError(f"the headers of the answer are longer than {_HEAD_BYTES_MAX} bytes")
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(None, 2)
        status = _number(words[1]) if len(words) > 1 and words[0].startswith("HTTP/") else None
        if status is None:
            raise ConnectionError("the answer is not HTTP")
        if status >= 200:
            break
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = _read_body(connection, data, headers)
    detail = body[:_DETAIL_BYTES_MAX].decode("utf-8", "replace")
    return Answer(status, _number(headers.get("retry-after", "")), detail)


def _read_body(connection: socket.socket, body: bytes, headers: dict[str, str]) -> bytes:
    """Read the body, up to 64 KB. The status is already known, so a broken connection is not an error here."""
    length = _number(headers.get("content-length", ""))
    wanted = _HEAD_BYTES_MAX if length is None else min(length, _HEAD_BYTES_MAX)
    chunked = "chunked" in headers.get("transfer-encoding", "").lower()
    try:
        while len(body) < wanted and not (chunked and body.endswith(b"0\r\n\r\n")):
            body += _receive(connection)
    except OSError:
        pass
    return body


def _number(text: str) -> int | None:
    # Not `isdigit`, which accepts a superscript. Python limits the digits that `int` reads, and ten are enough here.
    return int(text) if text.isdecimal() and len(text) <= 10 else None


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise ConnectionError("the connection was closed before the answer was complete")
    return data
