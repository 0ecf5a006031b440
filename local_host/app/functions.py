"""What is in a function app? Its functions, indexed, and checked against what this host can do.

The app is asked for its functions as the Functions worker asks (`app.get_functions()`), and every function is described
by its bindings' JSON, which is what the host in Azure sees of it. Whatever this host does not have is named, all of it
at once, in one `AppRefused`.

Source: learn.microsoft.com/azure/azure-functions/functions-reference-python (v2 programming model).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local_host.app.retries import BadRetryPolicy, RetryPolicy, read_policy
from local_host.app.routes import BadRoute, Route, compile_route
from local_host.app.schedules import BadSchedule, Schedule, parse_schedule
from local_host.errors import AppRefused

HTTP = "httpTrigger"
ORCHESTRATION = "orchestrationTrigger"
ACTIVITY = "activityTrigger"
TIMER = "timerTrigger"
FEED = "cosmosDBTrigger"
SERVICE_BUS = "serviceBusTrigger"
STORAGE_QUEUE = "queueTrigger"
COSMOS_CONNECTION = "AccountEndpoint="
TRIGGERS = (HTTP, ORCHESTRATION, ACTIVITY, TIMER, FEED, SERVICE_BUS, STORAGE_QUEUE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """One function of the app.

    Shapes: `trigger` is the trigger's binding as function.json has it. `clients` are the names of parameters that take
    a durable client. `route` is set for HTTP triggers, `schedule` for timers with a fixed schedule.
    """

    name: str
    call: Callable[..., Any]
    is_async: bool
    trigger: Mapping[str, Any]
    clients: tuple[str, ...]
    takes_context: bool
    retry: RetryPolicy | None
    route: Route | None
    schedule: Schedule | None

    @property
    def kind(self) -> str:
        return str(self.trigger["type"])

    @property
    def parameter(self) -> str:
        return str(self.trigger["name"])

    @property
    def durable_name(self) -> str:
        """The name by which orchestrations call it."""
        given = self.trigger.get("orchestration") or self.trigger.get("activity")
        return str(given or self.name)


def index_functions(functions: Iterable[Any], settings: Mapping[str, str]) -> tuple[Function, ...]:
    """Describe the functions that `app.get_functions()` gave.

    Shapes: `settings` are the app settings, for `%NAME%` in binding texts and for the names of connections.

    Errors: `AppRefused`, listing everything that stands in the way.
    """
    faults: list[str] = []
    indexed = [_index(function, settings, faults) for function in functions]
    if faults:
        raise AppRefused(faults)
    return tuple(function for function in indexed if function is not None)


def _index(function: Any, settings: Mapping[str, str], faults: list[str]) -> Function | None:
    name = str(function.get_function_name())
    bindings = [_expand(json.loads(raw), settings) for raw in function.get_raw_bindings()]
    mine: list[str] = []
    trigger = None
    clients = []
    for binding in bindings:
        kind = binding["type"]
        if kind in TRIGGERS:
            trigger = binding
        elif kind == "durableClient":
            clients.append(binding["name"])
        elif kind != "http":
            mine.append(f"the binding '{binding['name']}' of type {kind} is not supported")
    if trigger is None:
        _report(name, mine or ["it has no trigger that is supported"], faults)
        return None
    call = function.get_user_function()
    is_async = inspect.iscoroutinefunction(call)
    takes_context = _check_parameters(call, trigger, bindings, mine)
    if clients and not is_async:
        mine.append("a function with a durable client must be 'async def'")
    route, schedule = _read_trigger(trigger, settings, mine)
    retry = _read_retry(function, mine)
    _report(name, mine, faults)
    return Function(
        name=name,
        call=call,
        is_async=is_async,
        trigger=trigger,
        clients=tuple(clients),
        takes_context=takes_context,
        retry=retry,
        route=route,
        schedule=schedule,
    )


def _report(name: str, mine: list[str], faults: list[str]) -> None:
    faults.extend(f"function '{name}': {fault}" for fault in mine)


def _expand(value: Any, settings: Mapping[str, str]) -> Any:
    """Replace a text that is `%NAME%` by the app setting, as the host does; unknown names stay as they are."""
    if isinstance(value, str) and len(value) > 2 and value[0] == value[-1] == "%":
        return settings.get(value[1:-1], value)
    if isinstance(value, dict):
        return {key: _expand(each, settings) for key, each in value.items()}
    return value


def _check_parameters(
    call: Callable[..., Any], trigger: Mapping[str, Any], bindings: list[dict[str, Any]], faults: list[str]
) -> bool:
    """Compare parameters and bindings as the worker does; return whether the function takes a context."""
    if trigger["type"] == ORCHESTRATION:
        return False  # the SDK has put its own function in front, whose one parameter has another name
    bound = {binding["name"] for binding in bindings if binding["name"] != "$return"}
    declared = set(inspect.signature(call).parameters)
    takes_context = "context" in declared and "context" not in bound
    extra = declared - bound - {"context"}
    missing = bound - declared
    if extra:
        faults.append(f"the parameters {sorted(extra)} belong to no binding")
    if missing:
        faults.append(f"the bindings {sorted(missing)} have no parameter of that name")
    return takes_context


def _read_trigger(
    trigger: Mapping[str, Any], settings: Mapping[str, str], faults: list[str]
) -> tuple[Route | None, Schedule | None]:
    kind = trigger["type"]
    try:
        if kind == HTTP:
            return compile_route(trigger.get("route") or ""), None
        if kind == TIMER:
            return None, parse_schedule(str(trigger["schedule"]))
    except (BadRoute, BadSchedule) as fault:
        faults.append(str(fault))
    if kind == SERVICE_BUS:
        faults.extend(_service_bus_faults(trigger))
    if kind == FEED:
        faults.extend(_feed_faults(trigger, settings))
    return None, None


def _service_bus_faults(trigger: Mapping[str, Any]) -> list[str]:
    if "topicName" in trigger or "subscriptionName" in trigger:
        return [f"the Service Bus topic trigger '{trigger['name']}' is not supported, only queues are"]
    if str(trigger.get("isSessionsEnabled") or "").lower() == "true":
        return [f"sessions of the Service Bus trigger '{trigger['name']}' are not supported"]
    if str(trigger.get("cardinality") or "ONE").upper() == "MANY":
        return [f"cardinality 'many' of the Service Bus trigger '{trigger['name']}' is not supported"]
    return []


def _feed_faults(trigger: Mapping[str, Any], settings: Mapping[str, str]) -> list[str]:
    name = trigger["name"]
    connection = trigger.get("connection")
    if not connection:
        return [f"the change feed trigger '{name}' has no connection (version 3 of the trigger is not supported)"]
    value = settings.get(connection)
    if value is None:
        return [f"the app setting '{connection}', the connection of the change feed trigger '{name}', is missing"]
    if not value.startswith(("sqlite:", COSMOS_CONNECTION)):
        return [
            f"the app setting '{connection}' of the change feed trigger '{name}' must be 'sqlite:' and a path, "
            f"or '{COSMOS_CONNECTION}' and the address of an account"
        ]
    return []


def _read_retry(function: Any, faults: list[str]) -> RetryPolicy | None:
    raw = function.get_settings_dict("retry_policy")
    if raw is None:
        return None
    try:
        return read_policy(raw)
    except BadRetryPolicy as fault:
        faults.append(str(fault))
        return None
