"""Call the function app's HTTP functions as the Functions host does: by route and method, through the decorated code.

The durable client is the SDK's own; what it sends goes to `DurableHost`, which answers as the Durable extension does.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import azure.functions as func
import pytest

from tests.mayfly.composed import Composed

ORIGIN = "http://mayfly.test"

_RPC = "http://durable.test/runtime/webhooks/durabletask/"
_BINDING = json.dumps({"taskHubName": "Test", "creationUrls": {}, "managementUrls": {}, "rpcBaseUrl": _RPC})


@dataclass
class DurableHost:
    """Start, raise and list, as the Durable extension answers them.

    Source: HttpApiHandler.cs of the extension: 202 with links for a start, 500 with a text for an id in use, 202, 404
    and 410 for an event.
    """

    statuses: dict[str, str] = field(default_factory=dict)
    """Instance id to runtime status."""
    raised: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False
    """True: every call is answered with a 503."""

    async def post(self, url: str, *_: Any, **__: Any) -> list[Any]:
        if self.broken:
            return [503, "the host is starting"]
        path = url.removeprefix(_RPC)
        if started := re.fullmatch(r"orchestrators/run_job/([^/]+)", path):
            instance_id = started[1]
            if self.statuses.get(instance_id) in ("Pending", "Running"):
                return [
                    500,
                    {"ExceptionMessage": f"An Orchestration instance with the ID {instance_id} already exists."},
                ]
            self.statuses[instance_id] = "Running"
            return [202, {"id": instance_id}]
        raised = re.fullmatch(r"instances/([^/]+)/raiseEvent/([^/]+)", path)
        assert raised is not None, f"the extension has no {url}"
        status = self.statuses.get(raised[1])
        if status is None:
            return [404, None]
        if status not in ("Pending", "Running"):
            return [410, None]
        self.raised.append((raised[1], raised[2]))
        return [202, None]

    async def get(self, url: str, *_: Any, **__: Any) -> list[Any]:
        if self.broken:
            return [503, "the host is starting"]
        alone = re.fullmatch(r"instances/([^/?]+)(\?.*)?", url.removeprefix(_RPC))
        if alone is not None:
            status = self.statuses.get(alone[1])
            return [404, {}] if status is None else [200, _status(alone[1], status)]
        wanted = parse_qs(urlsplit(url).query)["runtimeStatus"][0].split(",")
        found = [_status(instance_id, status) for instance_id, status in self.statuses.items() if status in wanted]
        return [200, found[:100]]


def _status(instance_id: str, status: str) -> dict[str, Any]:
    at = "2026-01-31T12:00:00Z"
    nothing = dict.fromkeys(("input", "output", "customStatus"))
    return {
        "name": "run_job",
        "instanceId": instance_id,
        "runtimeStatus": status,
        "createdTime": at,
        "lastUpdatedTime": at,
        **nothing,
    }


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text, parse_constant=_no_constant)


@functools.cache
def functions() -> dict[str, Any]:
    """Return the app's functions by name, as the host indexes them."""
    from function_app import app

    return {function.get_function_name(): function for function in app.get_functions()}


class FunctionHost:
    """Mayfly's HTTP API, one call at a time."""

    def __init__(self, composed: Composed, durable: DurableHost) -> None:
        self.composed = composed
        self.durable = durable

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        route: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request. `body` is sent as JSON, `raw` as it is; `route` replaces what the path says."""
        sent = {} if body is None else {"Content-Type": "application/json"}
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        function, found = _find(method, path)
        request = func.HttpRequest(
            method,
            f"{ORIGIN}/api/{path}",
            headers={**sent, **(headers or {})},
            params=params or {},
            route_params=route if route is not None else found,
            body=content,
        )
        arguments: dict[str, Any] = {"req": request}
        if any(binding.get_dict_repr()["type"] == "durableClient" for binding in function.get_bindings()):
            arguments["client"] = _BINDING
        answer = self.composed.runner.run(function.get_user_function()(**arguments))
        return Answer(
            status=answer.status_code,
            headers={"Content-Type": answer.mimetype, **dict(answer.headers)},
            text=answer.get_body().decode(),
        )

    def report(self, job_id: str, body: Any, *, attempt: int = 1, token: str | None = None) -> Answer:
        """Send a worker's report."""
        credential = token if token is not None else self.composed.token(job_id, attempt)
        return self.call("POST", f"jobs/{job_id}/reports", body=body, headers={"Authorization": f"Bearer {credential}"})

    def perform(self, activity: str, job_id: str) -> dict[str, Any]:
        """Run one activity as the host does."""
        step: dict[str, Any] = self.composed.runner.run(functions()[activity].get_user_function()(job_id))
        return step


def patch_durable_client(monkeypatch: pytest.MonkeyPatch, durable: DurableHost) -> None:
    """Send what the SDK's client sends to this host."""
    module = importlib.import_module("azure.durable_functions.models.DurableOrchestrationClient")
    monkeypatch.setattr(module, "post_async_request", durable.post)
    monkeypatch.setattr(module, "get_async_request", durable.get)


def run(runner: asyncio.Runner, function: str, **arguments: Any) -> Any:
    """Run a function that is not HTTP."""
    return runner.run(functions()[function].get_user_function()(**arguments))


CLIENT_BINDING = _BINDING


def _find(method: str, path: str) -> tuple[Any, dict[str, str]]:
    """Match as the host does: the most literal route first."""
    routes = sorted(_routes(), key=lambda route: route[1].count("{"))
    for function, template, methods in routes:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
        if method in methods and (found := re.fullmatch(pattern, path)):
            return function, found.groupdict()
    raise LookupError(f"no function for {method} {path}")


@functools.cache
def _routes() -> list[tuple[Any, str, list[str]]]:
    found = []
    for function in functions().values():
        for binding in function.get_bindings():
            described = binding.get_dict_repr()
            if described["type"] == "httpTrigger":
                methods = [str(getattr(method, "value", method)) for method in described["methods"]]
                found.append((function, described["route"], methods))
    return found


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
