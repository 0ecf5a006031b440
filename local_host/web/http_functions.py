"""How does an HTTP trigger meet HTTP? Find the function, check the key, call it, and turn what it gives into a reply.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from azure.functions import HttpResponse
from azure.functions.http import HttpRequest

from local_host.app.functions import HTTP, Function
from local_host.app.invocation import Invoker
from local_host.web.keys import FUNCTION, Keys
from local_host.web.wire import Reply, Request, problem

log = logging.getLogger("local_host.http")


class HttpFunctions:
    """The HTTP functions of an app, under their prefix (`api` unless host.json says otherwise)."""

    def __init__(self, functions: Iterable[Function], *, invoker: Invoker, keys: Keys, prefix: str) -> None:
        self._invoker = invoker
        self._keys = keys
        self._prefix = prefix.strip("/")
        found = [function for function in functions if function.kind == HTTP]
        self._functions = sorted(found, key=lambda function: function.route.weight if function.route else ())

    async def handle(self, request: Request) -> Reply | None:
        """Answer a request, or return `None` when no function has that path and method."""
        path = request.path.strip("/")
        if self._prefix:
            first, _, path = path.partition("/")
            if first.lower() != self._prefix.lower():
                return None
        for function in self._functions:
            if request.method not in _methods(function) or function.route is None:
                continue
            parameters = function.route.match(path)
            if parameters is not None:
                return await self._answer(function, request, parameters)
        return None

    def listing(self, base: str) -> list[str]:
        """One line a function: methods and address."""
        prefix = f"{base}/{self._prefix}" if self._prefix else base
        return [
            f"{function.name}: [{','.join(_given_methods(function)) or 'ALL'}] {prefix}/{function.route.template}"
            for function in self._functions
            if function.route is not None
        ]

    async def _answer(self, function: Function, request: Request, parameters: dict[str, str]) -> Reply:
        level = str(function.trigger.get("authLevel") or FUNCTION).lower()
        if not self._keys.open(level, request, function=function.name):
            return Reply(status=401)
        argument = HttpRequest(
            method=request.method,
            url=request.url,
            headers=request.headers,
            params=request.query,
            route_params=parameters,
            body_type="bytes",
            body=request.body,
        )
        try:
            answer = await self._invoker.call(function, argument)
            return _reply(answer)
        except Exception:
            log.exception("Function '%s' failed on %s %s.", function.name, request.method, request.path)
            return problem(500, "Function failed", f"Function '{function.name}' failed; the host's log says how.")


_ALL_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"})


def _given_methods(function: Function) -> list[str]:
    return [str(method).upper() for method in function.trigger.get("methods") or ()]


def _methods(function: Function) -> Iterable[str]:
    return _given_methods(function) or _ALL_METHODS


def _reply(answer: object) -> Reply:
    if answer is None:
        return Reply(status=204)
    if isinstance(answer, str):
        return Reply(status=200, headers=(("Content-Type", "text/plain; charset=utf-8"),), body=answer.encode("utf-8"))
    if not isinstance(answer, HttpResponse):
        raise TypeError(f"an HTTP function must return a str or an HttpResponse (got {type(answer).__name__})")
    headers = [(str(name), str(value)) for name, value in answer.headers.items()]
    if "content-type" not in answer.headers:
        charset = f"; charset={answer.charset}" if answer.mimetype.startswith("text/") else ""
        headers.append(("Content-Type", f"{answer.mimetype}{charset}"))
    return Reply(status=int(answer.status_code), headers=tuple(headers), body=answer.get_body() or b"")
