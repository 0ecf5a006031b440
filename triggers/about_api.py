"""The health and the description of this API, for load balancers and for authors of clients."""

import functools
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from mayfly import composition
from triggers.answers import answer
from triggers.bodies import Health
from triggers.openapi import document
from triggers.operations import operation

about_api = df.Blueprint()
_operation = functools.partial(operation, blueprint=about_api, tag="service", security=())


@_operation("GET", "health", returns=Health)
async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """Check the health of the service. 200 if the log and the views answer."""
    # No counts and no names: strangers can read it.
    mayfly = composition.current()
    await mayfly.log.read_all(limit=1)
    await mayfly.views.unsettled(limit=1)
    return answer(Health(status="ok"))


@_operation("GET", "openapi.json", returns=dict[str, Any])
async def openapi(req: func.HttpRequest) -> func.HttpResponse:
    """Describe the API. This document."""
    return answer(document(server=req.url.partition("/api/")[0]))
