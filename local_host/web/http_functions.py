"""How does an HTTP request become a function call? Find the function, check the key, call it, and build the response.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from azure.functions import HttpResponse
from azure.functions.http import HttpRequest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from local_host.app.functions import HTTP, Function
from local_host.app.invocation import Invoker
from local_host.web.http_messages import joined_headers, problem, url_of
from local_host.web.keys import FUNCTION, Keys

log = logging.getLogger("local_host.web.http_functions")


class HttpFunctions:
    """The HTTP functions of an app, under a prefix (`api` unless host.json changes it)."""

    def __init__(self, functions: Iterable[Function], *, invoker: Invoker, keys: Keys, prefix: str) -> None:
        self._invoker = invoker
        self._keys = keys
        self._prefix = prefix.strip("/")
        found = [function for function in functions if function.kind == HTTP]
        self._functions = sorted(found, key=lambda function: function.route.weight if function.route else ())

    async def handle(self, request: Request) -> Response | None:
        """Handle a request, or return `None` if no function has this path and method."""
        path = str(request.scope["path"]).strip("/")
        if self._prefix:
            first, _, path = path.partition("/")
            if first.lower() != self._prefix.lower():
                return None
        for function in self._functions:
            if request.method not in _methods(function) or function.route is None:
                continue
            parameters = function.route.match(path)
            if parameters is not None:
                return await self._call(function, request, parameters)
        return None

    def listing(self, base: str) -> list[str]:
        """Return one line per function: its name, methods and URL."""
        prefix = f"{base}/{self._prefix}" if self._prefix else base
        return [
            f"{function.name}: [{','.join(_given_methods(function)) or 'ALL'}] {prefix}/{function.route.template}"
            for function in self._functions
            if function.route is not None
        ]

    async def _call(self, function: Function, request: Request, parameters: dict[str, str]) -> Response:
        level = str(function.trigger.get("authLevel") or FUNCTION).lower()
        if not self._keys.allow(level, request, function=function.name):
            return Response(status_code=401)
        argument = HttpRequest(
            method=request.method,
            url=url_of(request),
            headers=joined_headers(request),
            params=dict(request.query_params),
            route_params=parameters,
            body_type="bytes",
            body=await request.body(),
        )
        try:
            return _response(await self._invoker.call(function, argument))
        except Exception:
            log.exception("Function '%s' failed on %s %s.", function.name, request.method, request.scope["path"])
            return problem(500, "Function failed", f"Function '{function.name}' failed; see the host's log.")


_ALL_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"})


def _given_methods(function: Function) -> list[str]:
    return [str(method).upper() for method in function.trigger.get("methods") or ()]


def _methods(function: Function) -> Iterable[str]:
    return _given_methods(function) or _ALL_METHODS


def _response(result: object) -> Response:
    if result is None:
        return Response(status_code=204)
    if isinstance(result, str):
        return PlainTextResponse(result)
    if not isinstance(result, HttpResponse):
        raise TypeError(f"an HTTP function must return a str or an HttpResponse (got {type(result).__name__})")
    charset = f"; charset={result.charset}" if result.mimetype.startswith("text/") else ""
    return Response(
        result.get_body() or b"", int(result.status_code), result.headers, media_type=f"{result.mimetype}{charset}"
    )
