"""Which functions does an app have? They are indexed and checked against what this host supports.

The functions come from `app.get_functions()`, as in the Functions worker, and each is described by the JSON of its
bindings, the only thing that the host in Azure sees. One `UnsupportedApp` lists every problem found.

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
from local_host.errors import UnsupportedApp

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

    Shapes: `trigger` is the trigger's binding, as in function.json. `clients` are the names of the parameters that
    receive a durable client. `retry` is `None` without a retry policy. `route` is set for HTTP triggers, `schedule` for
    timer triggers.
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
        """The name that orchestrations use for it."""
        given = self.trigger.get("orchestration") or self.trigger.get("activity")
        return str(given or self.name)


def index_functions(functions: Iterable[Any], settings: Mapping[str, str]) -> tuple[Function, ...]:
    """Index the functions that `app.get_functions()` returned.

    Shapes: `settings` are the app settings. They resolve `%NAME%` in bindings and the names of connections.

    Errors: `UnsupportedApp`, listing every problem.
    """
    problems: list[str] = []
    indexed = []
    for function in functions:
        own: list[str] = []
        name = str(function.get_function_name())
        indexed.append(_index(name, function, settings, own))
        problems.extend(f"function '{name}': {problem}" for problem in own)
    if problems:
        raise UnsupportedApp(problems)
    return tuple(function for function in indexed if function is not None)


def _index(name: str, function: Any, settings: Mapping[str, str], problems: list[str]) -> Function | None:
    bindings = [_expand(json.loads(raw), settings) for raw in function.get_raw_bindings()]
    trigger = None
    clients = []
    for binding in bindings:
        kind = binding["type"]
        if kind in TRIGGERS:
            trigger = binding
        elif kind == "durableClient":
            clients.append(binding["name"])
        elif kind != "http":
            problems.append(f"binding '{binding['name']}' has the unsupported type {kind}")
    if trigger is None:
        if not problems:
            problems.append(f"no supported trigger (supported: {', '.join(TRIGGERS)})")
        return None
    call = function.get_user_function()
    is_async = inspect.iscoroutinefunction(call)
    takes_context = _check_parameters(call, trigger, bindings, problems)
    if clients and not is_async:
        problems.append("a function with a durable client must be declared with 'async def'")
    route, schedule = _read_trigger(trigger, settings, problems)
    return Function(
        name=name,
        call=call,
        is_async=is_async,
        trigger=trigger,
        clients=tuple(clients),
        takes_context=takes_context,
        retry=_read_retry(function, problems),
        route=route,
        schedule=schedule,
    )


def _expand(value: Any, settings: Mapping[str, str]) -> Any:
    """Replace `%NAME%` with that app setting, as the host in Azure does; leave unknown names unchanged."""
    if isinstance(value, str) and len(value) > 2 and value[0] == value[-1] == "%":
        return settings.get(value[1:-1], value)
    if isinstance(value, dict):
        return {key: _expand(each, settings) for key, each in value.items()}
    return value


def _check_parameters(
    call: Callable[..., Any], trigger: Mapping[str, Any], bindings: list[dict[str, Any]], problems: list[str]
) -> bool:
    """Compare parameters with bindings as the worker does; return whether the function takes a context."""
    if trigger["type"] == ORCHESTRATION:
        return False  # the SDK wraps the function, and the wrapper's only parameter has another name
    bound = {binding["name"] for binding in bindings if binding["name"] != "$return"}
    declared = set(inspect.signature(call).parameters)
    takes_context = "context" in declared and "context" not in bound
    extra = declared - bound - {"context"}
    missing = bound - declared
    if extra:
        problems.append(f"parameters {sorted(extra)} have no binding; remove them, or add bindings with these names")
    if missing:
        problems.append(f"bindings {sorted(missing)} have no parameter; add parameters with these names")
    return takes_context


def _read_trigger(
    trigger: Mapping[str, Any], settings: Mapping[str, str], problems: list[str]
) -> tuple[Route | None, Schedule | None]:
    kind = trigger["type"]
    try:
        if kind == HTTP:
            return compile_route(trigger.get("route") or ""), None
        if kind == TIMER:
            return None, parse_schedule(str(trigger["schedule"]))
    except (BadRoute, BadSchedule) as error:
        problems.append(str(error))
    if kind == SERVICE_BUS:
        problems.extend(_service_bus_problems(trigger))
    if kind == FEED:
        problems.extend(_feed_problems(trigger, settings))
    return None, None


def _service_bus_problems(trigger: Mapping[str, Any]) -> list[str]:
    if "topicName" in trigger or "subscriptionName" in trigger:
        return [f"Service Bus topic trigger '{trigger['name']}' is not supported; use a queue"]
    if str(trigger.get("isSessionsEnabled") or "").lower() == "true":
        return [f"Service Bus trigger '{trigger['name']}' uses sessions, which are not supported"]
    if str(trigger.get("cardinality") or "ONE").upper() == "MANY":
        return [f"Service Bus trigger '{trigger['name']}' has cardinality 'many'; only 'one' is supported"]
    return []


def _feed_problems(trigger: Mapping[str, Any], settings: Mapping[str, str]) -> list[str]:
    name = trigger["name"]
    connection = trigger.get("connection")
    if not connection:
        return [f"change feed trigger '{name}' has no connection (version 3 of the trigger is not supported)"]
    value = settings.get(connection)
    if value is None:
        return [f"app setting '{connection}', the connection of change feed trigger '{name}', is missing"]
    if not value.startswith(("sqlite:", COSMOS_CONNECTION)):
        return [
            f"app setting '{connection}', the connection of change feed trigger '{name}', must start with 'sqlite:' "
            f"(then a path) or '{COSMOS_CONNECTION}' (then the address of an account)"
        ]
    return []


def _read_retry(function: Any, problems: list[str]) -> RetryPolicy | None:
    raw = function.get_settings_dict("retry_policy")
    if raw is None:
        return None
    try:
        return read_policy(raw)
    except BadRetryPolicy as error:
        problems.append(str(error))
        return None
