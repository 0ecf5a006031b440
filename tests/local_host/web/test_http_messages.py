"""The host's additions to Starlette's requests and responses."""

from __future__ import annotations

import asyncio
import json

from starlette.requests import Request

from local_host.web.http_messages import joined_headers, json_response, origin_of, problem, request_to, url_of


def request_with(*headers: tuple[bytes, bytes], raw_path: bytes = b"/a%20b", query: bytes = b"x=1&y=%C3%BC") -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": "/a b",
            "raw_path": raw_path,
            "query_string": query,
            "headers": [(b"host", b"localhost:7071"), *headers],
        }
    )


def test_the_url_is_the_one_that_the_client_wrote() -> None:
    request = request_with()
    assert url_of(request) == "http://localhost:7071/a%20b?x=1&y=%C3%BC"
    assert url_of(request_with(query=b"")) == "http://localhost:7071/a%20b"
    assert origin_of(request) == "http://localhost:7071"


def test_a_repeated_header_is_joined_and_of_a_repeated_parameter_the_last_counts() -> None:
    request = request_with((b"x-one", b"1"), (b"x-one", b"2"), query=b"a=1&a=2&b=")
    assert joined_headers(request) == {"host": "localhost:7071", "x-one": "1, 2"}
    assert dict(request.query_params) == {"a": "2", "b": ""}


def test_a_request_within_the_process_is_like_one_from_a_client() -> None:
    url = "http://127.0.0.1:7071/rpc/instances/a%20b?reason=so%20%26%20so"
    request = request_to("POST", url, path="/rpc/instances/a b", body=b"[1]")
    assert url_of(request) == url
    assert request.query_params["reason"] == "so & so"
    assert request.headers["content-type"] == "application/json"
    assert asyncio.run(request.body()) == b"[1]"


def test_json_may_hold_nan_as_an_orchestrations_output_may() -> None:
    response = json_response(200, {"output": float("nan")}, {"Retry-After": "5"})
    assert response.body == b'{"output": NaN}'
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["retry-after"] == "5"


def test_a_problem_is_a_problem_document() -> None:
    response = problem(403, "Forbidden", "no")
    assert (response.status_code, response.headers["content-type"]) == (403, "application/problem+json")
    body = json.loads(bytes(response.body))
    assert body == {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "no"}
