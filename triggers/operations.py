"""The operations of the HTTP API: each is registered and described where its handler is."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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
_WITHOUT_KEY = ((), ("reportToken",))

Handler = Callable[..., Awaitable[func.HttpResponse]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one route, as the OpenAPI document describes it."""

    name: str
    """As the function is called."""
    summary: str
    description: str
    tag: str
    """A key of `TAGS`."""
    returns: Any
    """Type of the response body."""
    status: int
    accepts: Any
    """Type of the request body; None: there is none."""
    optional_body: bool
    parameters: tuple[Schema, ...]
    problems: tuple[int, ...]
    """Status codes in addition to those of every operation."""
    security: tuple[str, ...]
    """Names of security schemes, any of which is enough; empty: public."""


OPERATIONS: dict[tuple[str, str], Operation] = {}
"""By method and path. A module adds its operations when it is imported; `function_app` imports all of them."""


def operation(
    method: str,
    route: str,
    *,
    blueprint: Any,
    tag: str,
    returns: Any,
    status: int = 200,
    accepts: Any = None,
    optional_body: bool = False,
    parameters: tuple[Schema, ...] = (),
    problems: tuple[int, ...] = (),
    security: tuple[str, ...] = _KEY,
) -> Callable[[Handler], Any]:
    """Return a decorator that registers a handler and describes it as an `Operation`.

    The first sentence of the handler's docstring is the summary, and the rest the description. If the handler has a
    parameter `client`, it receives the durable client. Query parameters that are not described are rejected, except by
    public operations.

    Shapes: `route` is below `/api/`; the other arguments are the fields of `Operation`.
    """

    def register(handler: Handler) -> Any:
        summary, _, description = " ".join((handler.__doc__ or "").split()).partition(". ")
        OPERATIONS[method.lower(), f"/api/{route}"] = Operation(
            name=handler.__name__,
            summary=summary,
            description=description,
            tag=tag,
            returns=returns,
            status=status,
            accepts=accepts,
            optional_body=optional_body,
            parameters=parameters,
            problems=problems,
            security=security,
        )

        @answering
        @functools.wraps(handler)
        async def function(req: func.HttpRequest, **bound: Any) -> func.HttpResponse:
            if security:
                check_queries(req, [one["name"] for one in parameters if one["in"] == "query"])
            return await handler(req, **bound)

        registered: Any = function
        if "client" in inspect.signature(handler).parameters:
            registered = blueprint.durable_client_input(client_name="client")(registered)
        level = func.AuthLevel.ANONYMOUS if security in _WITHOUT_KEY else func.AuthLevel.FUNCTION
        return blueprint.route(route=route, methods=[method], auth_level=level)(registered)

    return register


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
