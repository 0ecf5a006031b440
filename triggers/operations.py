"""The operations of the HTTP API: each is registered and described where its handler is."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import azure.functions as func

from triggers.answers import answering, check_queries
from triggers.schemas import Schema

TAGS = {
    "jobs": "Submit, list, follow and change jobs.",
    "log": "The log of all events, and the rejected queue messages.",
    "worker": "The reports of workers.",
    "service": "The function app itself.",
}
_KEY = ("functionKey", "functionKeyQuery")


@dataclass
class Operation:
    """One method of one route. As a decorator, it registers and describes the handler.

    The first sentence of the handler's docstring is the summary, and the rest the description. If the handler has a
    parameter `client`, it receives the durable client. Query parameters that are not described are rejected, except by
    public operations.
    """

    method: str
    route: str
    """Below `/api/`."""
    _: KW_ONLY
    blueprint: Any
    tag: str
    """A key of `TAGS`."""
    returns: Any
    """Type of the response body."""
    status: int = 200
    accepts: Any = None
    """Type of the request body; None: there is none."""
    optional_body: bool = False
    parameters: tuple[Schema, ...] = ()
    problems: tuple[int, ...] = ()
    """Status codes in addition to those of every operation."""
    security: tuple[str, ...] = _KEY
    """Names of security schemes, any of which is enough; empty: public."""
    name: str = ""
    summary: str = ""
    description: str = ""

    def __call__(self, handler: Callable[..., Awaitable[func.HttpResponse]]) -> Any:
        """Register the handler and return its function."""
        self.name = handler.__name__
        self.summary, _, self.description = " ".join((handler.__doc__ or "").split()).partition(". ")
        OPERATIONS[self.method.lower(), f"/api/{self.route}"] = self

        @answering
        @functools.wraps(handler)
        async def function(req: func.HttpRequest, **bound: Any) -> func.HttpResponse:
            if self.security:
                check_queries(req, [one["name"] for one in self.parameters if one["in"] == "query"])
            return await handler(req, **bound)

        registered: Any = function
        if "client" in inspect.signature(handler).parameters:
            registered = self.blueprint.durable_client_input(client_name="client")(registered)
        level = func.AuthLevel.FUNCTION if self.security == _KEY else func.AuthLevel.ANONYMOUS
        return self.blueprint.route(route=self.route, methods=[self.method], auth_level=level)(registered)


OPERATIONS: dict[tuple[str, str], Operation] = {}
"""By method and path. A module adds its operations when it is imported; `function_app` imports all of them."""


def query(name: str, description: str, **schema: Any) -> Schema:
    """Describe a query parameter."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def limit(high: int, default: int) -> Schema:
    """Describe the maximum number of entries in a response."""
    return query("limit", "Maximum number of entries.", type="integer", minimum=1, maximum=high, default=default)


def after(position: str, high: int) -> Schema:
    """Describe the position after which entries are returned."""
    text = f"Return only entries after this {position}."
    return query("after", text, type="integer", minimum=0, maximum=high, default=0)
