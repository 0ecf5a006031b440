"""What is a request and what is a reply, for the host's own pages? Values, without sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One HTTP request, read completely.

    Shapes: `path` is decoded, `base_url` is scheme and authority as the client wrote them, without a slash at the end.
    Header names are lower case; of a query parameter or header that comes twice, the first and the last count.
    """

    method: str
    path: str
    base_url: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def json_reply(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
    all_headers = (("Content-Type", "application/json; charset=utf-8"), *(headers or {}).items())
    return Reply(status=status, headers=all_headers, body=json.dumps(body).encode())


def problem(status: int, title: str, detail: str) -> Reply:
    """Say what was wrong, as RFC 9457 has it."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    return Reply(status=status, headers=(("Content-Type", "application/problem+json"),), body=body.encode())
