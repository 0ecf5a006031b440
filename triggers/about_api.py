"""The health and the description of this API, for load balancers and for authors of clients."""

import azure.durable_functions as df
import azure.functions as func

from mayfly import composition
from triggers.answers import answer, answering
from triggers.bodies import Health
from triggers.openapi import document

about_api = df.Blueprint()


@about_api.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """Return 200 if the log and the views answer, 503 otherwise. It reveals no counts or names to strangers."""
    mayfly = composition.current()
    await mayfly.log.read_all(limit=1)
    await mayfly.views.unsettled(limit=1)
    return answer(Health(status="ok"))


@about_api.route(route="openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def openapi(req: func.HttpRequest) -> func.HttpResponse:
    """Return the description of this API."""
    return answer(document(server=req.url.partition("/api/")[0]))
