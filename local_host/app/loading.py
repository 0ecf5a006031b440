"""How is an app loaded from its folder? `function_app.py`, `host.json` and `local.settings.json`, as in the worker.

The folder goes first on the import path. Its settings become environment variables unless they are already set. Then
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
from local_host.errors import StartupError, UnsupportedApp


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedApp:
    """A loaded app.

    Shapes: `host_json` is empty without that file. `options_read` are the paths that `option` was called with.
    """

    directory: Path
    functions: tuple[Function, ...]
    host_json: Mapping[str, Any]
    options_read: set[tuple[str, ...]] = field(default_factory=lambda: {("version",)})

    def option(self, *path: str, default: Any = None) -> Any:
        """Return a value of host.json, such as `option("extensions", "http", "routePrefix")`."""
        self.options_read.add(path)
        value: Any = self.host_json
        for key in path:
            if not isinstance(value, Mapping) or key not in value:
                return default
            value = value[key]
        return value


def ignored_settings(app: LoadedApp, environment: Mapping[str, str]) -> list[str]:
    """List the app's settings that have an effect in Azure but not in this host. Call it once the host is built."""
    found = [".".join(path) for path in _unread(app.host_json, (), app.options_read)]
    if "WEBSITE_TIME_ZONE" in environment:
        found.append("WEBSITE_TIME_ZONE (schedules run in UTC)")
    queues = (one for one in app.functions if one.kind in (SERVICE_BUS, STORAGE_QUEUE) and one.retry is not None)
    return found + [f"retry policy of {one.name} (its queue redelivers)" for one in queues]


def _unread(
    part: Mapping[str, Any], path: tuple[str, ...], read: Iterable[tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    """Find the largest parts of host.json in which nothing was read."""
    for name, value in part.items():
        here = (*path, name)
        if here in read:
            continue
        if isinstance(value, Mapping) and any(one[: len(here)] == here for one in read):
            yield from _unread(value, here, read)
        else:
            yield here


def load_app(directory: Path) -> LoadedApp:
    """Load the app in a folder.

    Errors: `StartupError` if the folder does not contain an app; `UnsupportedApp` if its functions use unsupported
    features; errors that the app's own code raises while it is imported.
    """
    directory = directory.resolve()
    if not (directory / "function_app.py").is_file():
        raise StartupError(f"{directory} has no function_app.py. Set --app to the folder of a Python v2 function app.")
    host_json = _read_json(directory / "host.json")
    for name, value in _read_json(directory / "local.settings.json").get("Values", {}).items():
        os.environ.setdefault(name, str(value))
    functions = _import_app(directory).get_functions()
    return LoadedApp(directory=directory, functions=index_functions(functions, os.environ), host_json=host_json)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        # Editors on Windows start such files with a byte order mark.
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise StartupError(f"{path} is not valid JSON ({error}). Fix the file.") from error
    if not isinstance(content, dict):
        raise StartupError(f"{path} must contain a JSON object (got {type(content).__name__}).")
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
        raise UnsupportedApp([f"function_app.py must define exactly one FunctionApp or DFApp (found {len(distinct)})"])
    return distinct[0]
