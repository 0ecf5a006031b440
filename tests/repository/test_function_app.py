"""The Functions host's view: every function's bindings, compared with the list that people reviewed."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from tests.triggers.function_host import functions

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("functions.json")


def _seen() -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for name, function in functions().items():
        described = json.loads(function.get_function_json())
        seen[name] = sorted(described["bindings"], key=lambda binding: str(binding.get("name")))
    return dict(sorted(seen.items()))


def test_the_functions_are_those_that_were_reviewed() -> None:
    """After a change that is meant: python -m tests.repository.test_function_app."""
    assert _seen() == json.loads(GOLDEN.read_text())


def test_every_function_that_answers_users_requires_a_key() -> None:
    open_to_all = {
        name
        for name, bindings in _seen().items()
        for binding in bindings
        if binding["type"] == "httpTrigger" and binding["authLevel"] != "FUNCTION"
    }
    assert open_to_all == {"health", "openapi", "take_report"}, "a report is checked by its own token"


def test_the_app_registers_blueprints_and_nothing_else() -> None:
    tree = ast.parse((ROOT / "function_app.py").read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.If)]


def test_the_hosts_settings_are_those_that_the_app_expects() -> None:
    host = json.loads((ROOT / "host.json").read_text())
    assert host["extensions"]["http"]["routePrefix"] == "api"
    assert host["extensions"]["durableTask"]["storageProvider"]["connectionName"] == "AzureWebJobsStorage"
    settings = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    for bindings in _seen().values():
        for binding in bindings:
            if "connection" in binding:
                assert binding["connection"] in settings


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(_seen(), indent=2, sort_keys=True) + "\n")
