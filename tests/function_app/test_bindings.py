"""The app, loaded and indexed as the Functions worker does it.

The worker imports function_app, takes its one FunctionRegister, and for each function compares parameters with
bindings and asks the SDK's registry for a converter of each (loader.py and functions.py of azure-functions-python-
worker). A test in tests/repository compares the bindings themselves with a golden file.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
from pathlib import Path
from typing import Any

import azure.durable_functions
import pytest
from azure.functions import meta
from azure.functions.decorators.function_app import FunctionRegister, SettingsApi

from tests.triggers.function_host import functions

WITHOUT_CONVERTER = {"http"}
"""The answer of an HTTP function, which the worker handles without a converter."""

assert azure.durable_functions  # registers its converters when it is imported, as the app does


def indexed() -> dict[str, dict[str, Any]]:
    """Return the description of each function that the host receives, by name."""
    found: dict[str, dict[str, Any]] = {}
    for function in _functions():
        name = function.get_function_name()
        assert name not in found, f"two functions are called {name}"
        bindings = [json.loads(text) for text in function.get_raw_bindings()]
        retry = function.get_settings_dict("retry_policy")
        found[name] = {
            "bindings": sorted(bindings, key=lambda binding: (binding["direction"], binding["name"])),
            **({"retry": retry} if retry else {}),
        }
    return dict(sorted(found.items()))


def _functions() -> list[Any]:
    """Return the app's functions; the SDK gives them out once."""
    module = importlib.import_module("function_app")
    apps = {id(value): value for value in vars(module).values() if isinstance(value, FunctionRegister)}
    assert len(apps) == 1
    return list(functions().values())


@pytest.mark.parametrize("function", _functions(), ids=lambda function: str(function.get_function_name()))
def test_the_functions_worker_accepts_the_function(function: Any) -> None:
    bindings = {one["name"]: one for one in map(json.loads, function.get_raw_bindings())}
    triggers = [one for one in bindings.values() if one["type"].endswith("Trigger")]
    assert len(triggers) == 1
    code = function.get_user_function()
    if triggers[0]["type"] != "orchestrationTrigger":  # there the SDK has put its own function in front
        parameters = inspect.signature(code).parameters
        assert set(parameters) - {"context"} == set(bindings) - {"$return"}
        assert inspect.iscoroutinefunction(code)
    registry = meta.get_binding_registry()
    for one in bindings.values():
        assert registry.get(one["type"]) is not None or one["type"] in WITHOUT_CONVERTER, one


def test_the_feed_never_skips_a_batch_and_never_makes_its_lease_container() -> None:
    feed = indexed()["project_events"]
    (trigger,) = feed["bindings"]
    assert feed["retry"]["max_retry_count"] == "-1"
    assert trigger["connection"] == "MAYFLY_COSMOS"
    assert not trigger.get("createLeaseContainerIfNotExists")
    layout = json.loads((Path(__file__).parents[2] / "mayfly/cosmos/containers.json").read_text(encoding="utf-8"))
    assert trigger["databaseName"] == layout["database"]
    assert {trigger["containerName"], trigger["leaseContainerName"]} <= set(layout["containers"])


@pytest.mark.parametrize("name", ["about_api", "feed", "intake", "jobs_api", "reports_api", "timers"])
def test_no_trigger_needs_what_the_next_durable_blueprint_lacks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From version 2 on the blueprint of Durable Functions has triggers and bindings, and no settings such as retry."""
    for setting in vars(SettingsApi):
        if not setting.startswith("_"):
            monkeypatch.setattr(azure.durable_functions.Blueprint, setting, property(_missing))
    spec = importlib.util.find_spec(f"triggers.{name}")
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _missing(blueprint: object) -> None:
    raise AttributeError(f"{type(blueprint).__name__} has no settings")
