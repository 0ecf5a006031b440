"""The described operations match the API: names, parameters and their limits."""

from __future__ import annotations

from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest

from tests.triggers.function_host import FunctionHost, functions
from triggers.operations import OPERATIONS, TAGS, operation

functions()  # loads every module, which adds its operations
_NUMBERS = [
    (path, parameter["name"], parameter["schema"])
    for (method, path), operation in OPERATIONS.items()
    for parameter in operation.parameters
    if method == "get" and parameter["in"] == "query" and parameter["schema"]["type"] == "integer"
]


def test_every_operation_is_named_after_its_function_and_has_a_known_tag() -> None:
    assert {operation.name for operation in OPERATIONS.values()} <= set(functions())
    assert {operation.tag for operation in OPERATIONS.values()} == set(TAGS)


@pytest.mark.parametrize(("path", "name", "schema"), _NUMBERS, ids=[f"{path}?{name}" for path, name, _ in _NUMBERS])
def test_the_api_accepts_a_number_at_its_limits_and_rejects_one_beyond(
    api: FunctionHost, path: str, name: str, schema: dict[str, Any]
) -> None:
    job_id = api.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
    call = path.removeprefix("/api/").format(job_id=job_id)
    for value in (schema["minimum"], schema["maximum"]):
        assert api.call("GET", call, params={name: str(value)}).status == 200, value
    for value in (schema["minimum"] - 1, schema["maximum"] + 1):
        assert api.call("GET", call, params={name: str(value)}).status == 422, value


@pytest.mark.parametrize(
    ("security", "level"),
    [
        (("functionKey", "functionKeyQuery"), func.AuthLevel.FUNCTION),
        (("functionKey",), func.AuthLevel.FUNCTION),
        (("functionKeyQuery", "functionKey"), func.AuthLevel.FUNCTION),
        (("functionKey", "reportToken"), func.AuthLevel.FUNCTION),
        (("reportToken",), func.AuthLevel.ANONYMOUS),
        ((), func.AuthLevel.ANONYMOUS),
    ],
)
def test_only_public_operations_and_those_of_workers_need_no_function_key(
    monkeypatch: pytest.MonkeyPatch, security: tuple[str, ...], level: func.AuthLevel
) -> None:
    monkeypatch.setattr("triggers.operations.OPERATIONS", {})
    blueprint = df.Blueprint()

    @operation("GET", "example", blueprint=blueprint, tag="service", returns=str, security=security)
    async def example(req: func.HttpRequest) -> func.HttpResponse:
        """Return nothing."""
        return func.HttpResponse()

    app = df.DFApp()
    app.register_functions(blueprint)
    (function,) = app.get_functions()
    assert function.get_trigger().auth_level == level


def test_the_default_of_a_number_is_what_the_api_uses(api: FunctionHost) -> None:
    for number in range(60):
        api.call("POST", "jobs", body={"message": str(number)})
    api.composed.project()
    (limit,) = (one["schema"] for one in OPERATIONS["get", "/api/jobs"].parameters if one["name"] == "limit")
    assert len(api.call("GET", "jobs").json["jobs"]) == limit["default"]
