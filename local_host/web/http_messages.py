"""What does the host add to Starlette's requests and responses?

Requests are read completely before they are handled, so handlers call `await request.body()` without waiting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response


def json_response(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Build a response whose body is JSON.

    Starlette's own `JSONResponse` rejects NaN, which an orchestration may return.
    """
    return Response(json.dumps(body), status, headers, media_type="application/json; charset=utf-8")


def problem(status: int, title: str, detail: str) -> Response:
    """Build an error response. Source: RFC 9457 (problem details)."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(json.dumps(body), status, media_type="application/problem+json")


def joined_headers(request: Request) -> dict[str, str]:
    """Return the headers by lower-case name; join the values of a repeated header with commas (RFC 9110 5.3)."""
    joined: dict[str, str] = {}
    for name, value in request.headers.items():
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def origin_of(request: Request) -> str:
    """Return scheme and authority as the client wrote them, without a slash at the end."""
    return f"{request.scope['scheme']}://{request.headers.get('host', '')}"


def url_of(request: Request) -> str:
    """Return the URL as the client wrote it. Starlette's own `request.url` has a decoded path."""
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope.get("raw_path", request.scope["path"].encode()).decode("latin-1")
    return f"{origin_of(request)}{path}" + (f"?{query}" if query else "")


def request_to(method: str, url: str, *, path: str, body: bytes) -> Request:
    """Build a JSON request as if it had arrived from a client. Shapes: `path` is the decoded path of `url`."""
    parts = urlsplit(url)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    scope = {
        "type": "http",
        "method": method,
        "scheme": parts.scheme,
        "path": path,
        "raw_path": parts.path.encode("latin-1"),
        "query_string": parts.query.encode("latin-1"),
        "headers": [(b"host", parts.netloc.encode("latin-1")), (b"content-type", b"application/json")],
    }
    return Request(scope, receive)
