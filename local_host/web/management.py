"""How is an orchestration managed over HTTP? With the API of the durable extension, verb by verb.

One handler serves two bases: the public one, which requires a key, and the loopback one of the durable client. The
caller strips the base from the path. Status codes and bodies are those of the extension.

Source: Azure/azure-functions-durable-extension; HttpApiHandler.cs of the durable extension.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from local_host.durable.engine import Engine
from local_host.durable.history import micros, parse_stamp
from local_host.durable.hub import FAILED, FINISHED, Filter, Instance
from local_host.errors import BadInstanceId, InstanceExists, InstanceFinished, InstanceMissing, UnknownFunction
from local_host.web.bodies import history_body, links_body, status_body
from local_host.web.http_messages import json_response, url_of


class Management:
    """Handles management requests.

    Shapes: `link_query` is the query of the links in responses; it includes the key.
    """

    def __init__(self, engine: Engine, *, link_query: str) -> None:
        self._engine = engine
        self._link_query = link_query

    async def handle(self, request: Request, path: str, *, link_base: str) -> Response:
        """Handle one request.

        Shapes: `path` is decoded, without the base and without a slash in front. `link_base` is the base of links.
        """
        parts = [part for part in path.split("/") if part]
        match [request.method, *parts]:
            case ["POST", "orchestrators", name, *rest] if len(rest) <= 1:
                return await self._start(request, name, rest[0] if rest else None, link_base)
            case ["GET", "instances"]:
                return self._list(request)
            case ["DELETE", "instances"]:
                return self._purge_all(request)
            case ["GET", "instances", instance_id]:
                return self._status(request, instance_id)
            case ["DELETE", "instances", instance_id]:
                return self._purge(instance_id)
            case ["POST", "instances", instance_id, "raiseEvent" | "raiseevent", name]:
                return await self._raise_event(request, instance_id, name)
            case ["POST", "instances", instance_id, "terminate" | "suspend" | "resume" as verb]:
                return self._send_message(request, instance_id, verb)
            case ["POST", "instances", instance_id, "restart"]:
                return await self._restart(request, instance_id, link_base)
            case ["POST", "instances", instance_id, "rewind"]:
                return self._rewind(request, instance_id)
            case [_, "entities", *_]:
                return json_response(501, {"Message": "The local host does not support durable entities."})
            case _:
                return Response(status_code=404)

    async def _start(self, request: Request, name: str, instance_id: str | None, link_base: str) -> Response:
        input_text = await _body_text(request)
        if input_text is not None and not _is_json(input_text):
            return _invalid_json()
        try:
            started = self._engine.start(
                name, instance_id=instance_id, input_text=input_text, version=request.query_params.get("version")
            )
        except (UnknownFunction, BadInstanceId) as error:
            return _exception(400, str(error), "System.ArgumentException", str(error))
        except InstanceExists as error:
            return _exists(error)
        return await self._links(request, started, link_base)

    async def _links(self, request: Request, instance_id: str, link_base: str) -> Response:
        timeout_s, polling_s = _number(request, "timeout"), _number(request, "pollingInterval")
        if timeout_s is not None and polling_s is not None:
            finished = await self._await_end(instance_id, timeout_s, polling_s)
            if finished is not None:
                body = status_body(finished, show_input=True)
                if finished.status == FAILED:
                    return json_response(500, body)
                return json_response(200, body["output"] if finished.status == "Completed" else body)
        links = links_body(quote(instance_id), base=link_base, query=self._link_query)
        links["id"] = instance_id
        return json_response(202, links, {"Location": links["statusQueryGetUri"], "Retry-After": "10"})

    async def _await_end(self, instance_id: str, timeout_s: float, polling_s: float) -> Instance | None:
        clock = self._engine.clock
        deadline = clock.now() + timedelta(seconds=timeout_s)
        while True:
            instance = self._engine.status(instance_id)
            if instance is not None and instance.status in FINISHED:
                return instance
            now = clock.now()
            if now >= deadline:
                return None
            await clock.sleep_until(min(deadline, now + timedelta(seconds=max(polling_s, _POLLING_S_MIN))))

    def _list(self, request: Request) -> Response:
        token = request.headers.get("x-ms-continuation-token") or "0"
        if not token.isdigit():
            return _exception(400, "The continuation token is not from this host", "System.ArgumentException", token)
        top = _number(request, "top")
        limit = int(top) if top is not None and top >= 1 else _PAGE_INSTANCES
        show_input = _flag(request, "showInput", default=True)
        page = self._engine.hub.instances(_filter(request), after=int(token), limit=limit + 1)
        headers = {"x-ms-continuation-token": str(page[limit - 1].key)} if len(page) > limit else {}
        bodies = [status_body(instance, show_input=show_input) for instance in page[:limit]]
        return json_response(200, bodies, headers)

    def _status(self, request: Request, instance_id: str) -> Response:
        instance = self._engine.status(instance_id)
        if instance is None:
            return Response(status_code=404)
        show_input = _flag(request, "showInput", default=True)
        body = status_body(instance, show_input=show_input)
        if _flag(request, "showHistory"):
            body["historyEvents"] = history_body(
                self._engine.history(instance_id),
                show_output=_flag(request, "showHistoryOutput"),
                show_input=show_input,
            )
        if instance.status not in FINISHED:
            return json_response(202, body, {"Location": url_of(request), "Retry-After": "5"})
        is_error = instance.status == FAILED and _flag(request, "returnInternalServerErrorOnFailure")
        return json_response(500 if is_error else 200, body)

    def _purge(self, instance_id: str) -> Response:
        instance = self._engine.status(instance_id)
        if instance is None:
            return Response(status_code=404)
        if instance.status not in FINISHED:
            text = (
                "Only orchestrations in a terminal state can be purged, but the orchestration with instance ID "
                f"{instance_id} has status {instance.status}"
            )
            return json_response(412, text)
        return json_response(200, {"instancesDeleted": self._engine.purge(instance_id)})

    def _purge_all(self, request: Request) -> Response:
        chosen = _filter(request)
        if chosen.created_from is None:
            return json_response(400, "Please provide value for 'createdTimeFrom' parameter.")
        deleted = self._engine.purge_all(chosen)
        return json_response(200, {"instancesDeleted": deleted}) if deleted else Response(status_code=404)

    async def _raise_event(self, request: Request, instance_id: str, name: str) -> Response:
        text = await _body_text(request)
        instance = self._engine.status(instance_id)
        if instance is not None and instance.status not in FINISHED:
            media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type != "application/json":
                return json_response(400, {"Message": "Only application/json request content is supported"})
            if text is not None and not _is_json(text):
                return _invalid_json()
        return _sent(lambda: self._engine.raise_event(instance_id, name, text))

    def _send_message(self, request: Request, instance_id: str, verb: str) -> Response:
        send = {"terminate": self._engine.terminate, "suspend": self._engine.suspend, "resume": self._engine.resume}
        return _sent(lambda: send[verb](instance_id, request.query_params.get("reason", "")))

    async def _restart(self, request: Request, instance_id: str, link_base: str) -> Response:
        new_id = _flag(request, "restartWithNewInstanceId", default=True)
        try:
            started = self._engine.restart(instance_id, new_id=new_id)
        except (InstanceMissing, UnknownFunction, BadInstanceId) as error:
            text = "InstanceId does not match a valid orchestration instance."
            return _exception(400, text, "System.ArgumentException", str(error))
        except InstanceExists as error:
            return _exists(error)
        return await self._links(request, started, link_base)

    def _rewind(self, request: Request, instance_id: str) -> Response:
        return _sent(lambda: self._engine.rewind(instance_id, request.query_params.get("reason", "")))


_PAGE_INSTANCES = 100  # Source: Azure/azure-functions-durable-python issue 580.
_POLLING_S_MIN = 0.05


def _sent(send: Callable[[], None]) -> Response:
    try:
        send()
    except InstanceMissing:
        return Response(status_code=404)
    except InstanceFinished:
        return Response(status_code=410)
    return Response(status_code=202)


def _exists(error: InstanceExists) -> Response:
    # Source: HttpApiHandler.cs of the extension. Newer hosts respond with 409 and the text in `Message`. Clients match
    # on "already exists" in both cases.
    return _exception(
        500,
        "Something went wrong while processing your request",
        "DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException",
        str(error),
    )


def _invalid_json() -> Response:
    text = "Invalid JSON content"
    return _exception(400, text, "Newtonsoft.Json.JsonReaderException", text)


def _exception(status: int, message: str, kind: str, text: str) -> Response:
    body = {"Message": message, "ExceptionMessage": text, "ExceptionType": kind, "StackTrace": ""}
    return json_response(status, body)


async def _body_text(request: Request) -> str | None:
    body = await request.body()
    return body.decode("utf-8", "replace") if body else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _flag(request: Request, name: str, *, default: bool = False) -> bool:
    text = request.query_params.get(name, "").lower()
    return text == "true" if text in ("true", "false") else default


def _number(request: Request, name: str) -> float | None:
    try:
        return float(request.query_params[name])
    except (KeyError, ValueError):
        return None


def _time(request: Request, name: str) -> int | None:
    try:
        return micros(parse_stamp(request.query_params[name].replace(" ", "+")))
    except (KeyError, ValueError):
        return None


def _filter(request: Request) -> Filter:
    statuses = request.query_params.get("runtimeStatus", "").split(",")
    return Filter(
        created_from=_time(request, "createdTimeFrom"),
        created_to=_time(request, "createdTimeTo"),
        statuses=tuple(filter(None, statuses)),
        id_prefix=request.query_params.get("instanceIdPrefix", ""),
    )
