"""What is in the app's folder? `function_app.py`, `host.json` and `local.settings.json`, read as the worker does.

The folder is put first on the import path, its settings into the environment unless they are there already, and
`function_app` is imported. The folder is not changed.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.functions.decorators.function_app import FunctionRegister

from local_host.app.functions import SERVICE_BUS, STORAGE_QUEUE, Function, index_functions
from local_host.errors import AppRefused, Refused


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedApp:
    """An app, ready to run.

    Shapes: `host_json` is empty when there is no such file.
    """

    directory: Path
    functions: tuple[Function, ...]
    host_json: Mapping[str, Any]
    heeded: set[tuple[str, ...]] = field(default_factory=lambda: {("version",)})
    """What of host.json was asked for."""

    def option(self, *path: str, default: Any = None) -> Any:
        """Return a value of host.json, such as `option("extensions", "http", "routePrefix")`."""
        self.heeded.add(path)
        value: Any = self.host_json
        for key in path:
            if not isinstance(value, Mapping) or key not in value:
                return default
            value = value[key]
        return value


def unheeded(app: LoadedApp, environment: Mapping[str, str]) -> list[str]:
    """Return what the app is set to and nobody here asks for: in Azure it has an effect, and here it has none."""
    found = [".".join(path) for path in _unheeded(app.host_json, (), app.heeded)]
    if "WEBSITE_TIME_ZONE" in environment:
        found.append("WEBSITE_TIME_ZONE (schedules are in UTC)")
    queues = (one for one in app.functions if one.kind in (SERVICE_BUS, STORAGE_QUEUE) and one.retry is not None)
    return found + [f"the retry policy of {one.name} (its queue delivers again)" for one in queues]


def _unheeded(
    part: Mapping[str, Any], path: tuple[str, ...], heeded: Iterable[tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    """Find the parts of which nothing is heeded, each by its shortest name."""
    for name, value in part.items():
        here = (*path, name)
        if here in heeded:
            continue
        if isinstance(value, Mapping) and any(one[: len(here)] == here for one in heeded):
            yield from _unheeded(value, here, heeded)
        else:
            yield here


def load_app(directory: Path) -> LoadedApp:
    """Load the app in a folder.

    Errors: `Refused` when the folder is not an app, `AppRefused` when its functions need what is not here. What the
    app's own code raises while it is imported passes through.
    """
    directory = directory.resolve()
    if not (directory / "function_app.py").is_file():
        raise Refused(f"{directory} has no function_app.py; --app must name the folder of a Python v2 function app.")
    host_json = _read_json(directory / "host.json")
    for name, value in _read_json(directory / "local.settings.json").get("Values", {}).items():
        os.environ.setdefault(name, str(value))
    functions = _import_app(directory).get_functions()
    return LoadedApp(directory=directory, functions=index_functions(functions, os.environ), host_json=host_json)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        # Editors on Windows begin such files with a byte order mark.
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except ValueError as fault:
        raise Refused(f"{path} is not JSON: {fault}") from fault
    if not isinstance(content, dict):
        raise Refused(f"{path} must hold a JSON object (got {type(content).__name__})")
    return content


def _import_app(directory: Path) -> Any:
    for extra in (directory / ".python_packages" / "lib" / "site-packages", directory):
        if str(extra) not in sys.path:
            sys.path.insert(0, str(extra))
    sys.modules.pop("function_app", None)
    importlib.invalidate_caches()
    module = importlib.import_module("function_app")
    apps = [value for value in vars(module).values() if isinstance(value, FunctionRegister)]
    distinct = list({id(app): app for app in apps}.values())
    if len(distinct) != 1:
        raise AppRefused([f"function_app.py must define exactly one FunctionApp or DFApp (found {len(distinct)})"])
    return distinct[0]
