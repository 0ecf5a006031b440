"""The public names of the current code, collected: what it registers, describes, answers, reads and stores.

Like `opened.py`, this file uses the names of the current code so that the tests need not.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sqlite3
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from local_host.clock import SystemClock
from local_host.durable.hub import TaskHub
from local_host.triggers.queues import Queues
from mayfly.cli.app import COMMANDS
from mayfly.cosmos.account import LAYOUT
from mayfly.jobs.next_step import AZURE_POLLS
from mayfly.jobs.spec import JobSpec
from mayfly.settings import read_settings
from tests.compatibility.opened import opened_folder
from tests.mayfly.composed import compose
from tests.triggers.function_host import functions
from worker.environment import Environment

_FREE = ("spec.env", "spec.secrets", "spec.labels", "result", "data")
"""Objects whose names are a user's own, or are listed elsewhere: `data` with the kind of its event."""


def field_paths(value: Any, path: str = "") -> set[str]:
    """Return the path of every field in a JSON value.

    >>> sorted(field_paths({"jobs": [{"state": "queued"}], "cursor": None}))
    ['cursor', 'jobs', 'jobs[].state']
    """
    if isinstance(value, list):
        return set().union(*(field_paths(one, f"{path}[]") for one in value))
    if not isinstance(value, Mapping) or any(path == free or path.endswith(f".{free}") for free in _FREE):
        return set()
    here = {name: f"{path}.{name}" if path else str(name) for name in value}
    return set(here.values()).union(*(field_paths(value[name], where) for name, where in here.items()))


def described_fields(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return by operation, and by `request` or status, the fields that an OpenAPI document names."""
    found: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts = {"request": operation.get("requestBody", {})} | operation["responses"]
            for part, described in parts.items():
                schemas = [media["schema"] for media in described.get("content", {}).values()]
                fields = set().union(*(_schema_fields(schema, document) for schema in schemas))
                if fields:
                    found[f"{method.upper()} {path} {part}"] = sorted(fields)
    return found


def described_queries(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return by operation the query parameters that an OpenAPI document names."""
    return {
        f"{method.upper()} {path}": sorted(one["name"] for one in operation["parameters"] if one["in"] == "query")
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if any(one["in"] == "query" for one in operation["parameters"])
    }


def _schema_fields(schema: Mapping[str, Any], document: Mapping[str, Any], path: str = "") -> set[str]:
    if "$ref" in schema:
        return _schema_fields(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, path)
    found: set[str] = set()
    for name, inner in schema.get("properties", {}).items():
        where = f"{path}.{name}" if path else name
        found |= {where} | _schema_fields(inner, document, where)
    for choice in ("oneOf", "anyOf", "allOf"):
        found |= set().union(*(_schema_fields(inner, document, path) for inner in schema.get(choice, ())))
    return found | (_schema_fields(schema["items"], document, f"{path}[]") if "items" in schema else set())


def bindings() -> dict[str, list[dict[str, Any]]]:
    """Return the binding facts of each function that deployments and running instances depend on."""
    kept_keys: tuple[str, ...] = (
        "type",
        "route",
        "methods",
        "orchestration",
        "activity",
        "schedule",
        "connection",
        "queueName",
    )
    kept_keys += ("databaseName", "containerName", "leaseContainerName")
    found = {}
    for name, function in functions().items():
        described = [binding.get_dict_repr() for binding in function.get_bindings()]
        kept = [{key: _plain(one[key]) for key in kept_keys if one.get(key) is not None} for one in described]
        found[name] = sorted(kept, key=lambda one: str(one["type"]))
    return dict(sorted(found.items()))


def _plain(value: Any) -> Any:
    return [str(getattr(one, "value", one)) for one in value] if isinstance(value, list) else value


def commands() -> dict[str, Any]:
    """Return the commands by name, as objects of the library that parses them."""
    return {str(command.name): command.load() for command in COMMANDS}


def variables_of(command: Any) -> set[str]:
    """Return the environment variables that a command's options are read from; an option may have several."""
    given = [getattr(one, "envvar", None) or () for one in command.params]
    return {name for one in given for name in (one.split() if isinstance(one, str) else one)}


def given_to_a_worker(runner: asyncio.Runner) -> set[str]:
    """Return the environment variables that a container in Azure is created with."""
    composed = compose(runner)
    composed.mayfly = dataclasses.replace(composed.mayfly, polls=AZURE_POLLS)
    composed.secrets.values["token"] = "known"
    composed.begin(composed.submit(JobSpec(message="hi", secrets={"TOKEN": "token"})))
    (request,) = composed.runtime.requests
    composed.close()
    return {*request.env, *request.secure_env}


def read_by_a_worker(environment: Mapping[str, str]) -> str:
    """Return the settings that a worker reads from its variables, without those that it only passes to its command."""
    read = Environment(environment)
    known = {name: getattr(read, name) for name in sorted(vars(read)) if name != "command_env"}
    known["address"] = read.address.port
    handed = ("MESSAGE", "CONTAINER_NAME", "MAYFLY_JOB_ID", "MAYFLY_ATTEMPT")
    return repr((known, [read.command_env.get(name) for name in handed]))


def settings_of(environment: Mapping[str, str], *, data: Path) -> dict[str, Any]:
    """Return the settings that are read from only these variables; warnings are ignored."""
    before = dict(os.environ)
    kept = {name: value for name, value in before.items() if not name.startswith("MAYFLY_")}
    os.environ.clear()
    os.environ.update({**kept, "MAYFLY_DATA": str(data), "MAYFLY_REPORT_KEY": "k" * 40, **environment})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _values(read_settings())
    finally:
        os.environ.clear()
        os.environ.update(before)


def _values(settings: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(settings) and not isinstance(settings, type):
        return dataclasses.asdict(settings)
    found: dict[str, Any] = settings.model_dump()
    return found


def containers() -> dict[str, str]:
    """Return the containers of Cosmos DB with their partition keys."""
    return {name: layout["partitionKey"]["paths"][0] for name, layout in LAYOUT["containers"].items()}


def database() -> str:
    """Return the name of the database in Cosmos DB."""
    return str(LAYOUT["database"])


def make_files(data: Path) -> None:
    """Create every SQLite file of the current code."""
    with opened_folder(data):
        pass
    (data / "host").mkdir()
    hub = TaskHub(data / "host" / "hub.db")
    Queues(hub, SystemClock())
    hub.close()


def tables(data: Path, databases: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """Return the columns by file and by table or view."""
    found: dict[str, dict[str, list[str]]] = {}
    for name in databases:
        with sqlite3.connect(data / f"{name}.db") as connection:
            kinds = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'"
            names = sorted(row[0] for row in connection.execute(kinds))
            found[name] = {
                table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in names
            }
        connection.close()
    return found
