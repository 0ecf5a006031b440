"""The description of the API: a valid OpenAPI 3.1 document that says what the API does, neither more nor less."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from mayfly.use_cases.receive_report import parse_report
from mayfly.use_cases.submit import parse_spec
from tests.mayfly.composed import STARTED, SUCCEEDED
from tests.triggers.function_host import ORIGIN, FunctionHost, functions
from tests.triggers.test_bad_reports import _WRONG as WRONG_REPORTS
from tests.triggers.test_bad_specs import _FINE as FINE_SPECS
from tests.triggers.test_bad_specs import _WRONG as WRONG_SPECS

_ONLY_IN_WORDS = {
    # Rules between fields, of bytes and of meaning, that a JSON schema cannot say or would say badly.
    "nothing to do", "null instead of work", "image without a command", "message too many bytes", "NUL in the message",
    "command without a program", "blank program", "reserved env name", "reserved env name of the sample",
    "reserved secret name", "env too large", "name in env and in secrets",
    "success with an error", "failure with a result", "failure without an error", "huge result",
}  # fmt: skip
_OF_PYTHON = {
    # The schema is right; jsonschema tests patterns with Python's `$`, which allows a newline at the end.
    "image with a newline at its end", "name with a newline at its end", "claim with a newline",
}  # fmt: skip


@pytest.fixture
def document(api: FunctionHost) -> dict[str, Any]:
    answer = api.call("GET", "openapi.json")
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


def _validator(document: dict[str, Any], name: str) -> Any:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(_references(inner) for inner in value.values()))
    return set().union(*(_references(inner) for inner in value)) if isinstance(value, list) else set()


def test_the_document_has_the_form_of_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": ORIGIN}]
    assert set(document["info"]) >= {"title", "version"}
    names = []
    for path, operations in document["paths"].items():
        assert path.startswith("/api/")
        for method, operation in operations.items():
            assert method in ("get", "post")
            names.append(operation["operationId"])
            assert operation["responses"], path
            assert all(re.fullmatch("[1-5][0-9][0-9]", code) for code in operation["responses"])
            assert all({"name", "in", "schema"} <= set(parameter) for parameter in operation["parameters"])
            assert {p["name"] for p in operation["parameters"] if p["in"] == "path"} == set(
                re.findall(r"{(\w+)}", path)
            )
            for need in operation["security"]:
                assert set(need) <= set(document["components"]["securitySchemes"])
    assert len(names) == len(set(names))


def test_every_reference_leads_to_a_schema_that_is_valid(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert _references(document) <= known


def test_it_describes_every_function_that_answers_http_and_no_other(document: dict[str, Any]) -> None:
    served = set()
    for function in functions().values():
        for binding in function.get_bindings():
            described = binding.get_dict_repr()
            if described["type"] == "httpTrigger":
                for method in described["methods"]:
                    served.add((str(getattr(method, "value", method)).lower(), f"/api/{described['route']}"))
    assert served == {(method, path) for path, operations in document["paths"].items() for method in operations}


_SPECS = [case for case in WRONG_SPECS if case[0] not in _ONLY_IN_WORDS | _OF_PYTHON]


@pytest.mark.parametrize("body", FINE_SPECS, ids=range(len(FINE_SPECS)))
def test_its_job_spec_accepts_what_the_api_accepts(document: dict[str, Any], body: dict[str, Any]) -> None:
    sent = json.loads(json.dumps(body))
    parse_spec(sent)
    assert not list(_validator(document, "JobSpec").iter_errors(sent))


@pytest.mark.parametrize("case", _SPECS, ids=lambda case: str(case[0]))
def test_its_job_spec_refuses_what_the_api_refuses(
    document: dict[str, Any], case: tuple[str, dict[str, Any], str, str]
) -> None:
    assert list(_validator(document, "JobSpec").iter_errors(case[1])), case[0]


_KINDS = {"started": "Started", "progress": "Progress", "finished": "Finished"}


@pytest.mark.parametrize("body", [STARTED, SUCCEEDED], ids=["started", "finished"])
def test_its_reports_accept_what_the_api_accepts(document: dict[str, Any], body: dict[str, Any]) -> None:
    parse_report(body, attempt=1)
    assert not list(_validator(document, _KINDS[body["type"]]).iter_errors(body))


@pytest.mark.parametrize(
    "case",
    [
        c
        for c in WRONG_REPORTS
        if c[1].get("type") in ("started", "progress", "finished") and c[0] not in _ONLY_IN_WORDS | _OF_PYTHON
    ],
    ids=lambda case: str(case[0]),
)
def test_its_reports_refuse_what_the_api_refuses(
    document: dict[str, Any], case: tuple[str, dict[str, Any], str, str]
) -> None:
    assert list(_validator(document, _KINDS[case[1]["type"]]).iter_errors(case[1])), case[0]


def _answered(document: dict[str, Any], path: str, method: str, status: int) -> Any:
    content = document["paths"][path][method]["responses"][str(status)]["content"]
    (media,) = content.values()
    return _validator(document, media["schema"]["$ref"].rpartition("/")[2])


def test_the_answers_are_as_described(api: FunctionHost, document: dict[str, Any]) -> None:
    started = api.call("POST", "jobs", body={"message": "hi"})
    job_id = started.json["job_id"]
    _answered(document, "/api/jobs", "post", 202).validate(started.json)
    api.perform("begin_attempt", job_id)
    reported = api.report(job_id, STARTED)
    _answered(document, "/api/jobs/{job_id}/reports", "post", 202).validate(reported.json)
    _answered(document, "/api/jobs/{job_id}/reports", "post", 200).validate(api.report(job_id, STARTED).json)
    api.composed.project()
    job = "/api/jobs/{job_id}"
    for path in (job, f"{job}/events", f"{job}/logs", f"{job}/metrics", "/api/jobs", "/api/events", "/api/health"):
        answer = api.call("GET", path.removeprefix("/api/").format(job_id=job_id))
        _answered(document, path, "get", 200).validate(answer.json)
    planned = api.call("POST", "plan", body={"message": "hi"})
    _answered(document, "/api/plan", "post", 200).validate(planned.json)
    canceled = api.call("POST", f"jobs/{job_id}/cancel")
    _answered(document, f"{job}/cancel", "post", 202).validate(canceled.json)
    archived = api.call("POST", f"jobs/{job_id}/archive")
    _answered(document, f"{job}/archive", "post", 202).validate(archived.json)
    _answered(document, "/api/jobs/clear", "post", 202).validate(api.call("POST", "jobs/clear").json)
    refused = api.call("POST", "jobs", body={})
    _answered(document, "/api/jobs", "post", 422).validate(refused.json)
