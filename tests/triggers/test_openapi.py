"""The description of the API is a valid OpenAPI 3.1 document that describes the API completely and correctly."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from mayfly.jobs.events import Body, Event, to_document
from mayfly.jobs.job import Attempt, Job
from mayfly.use_cases.receive_report import parse_report
from mayfly.use_cases.submit import parse_spec
from tests.contracts.intake_record import REJECTED
from tests.mayfly.composed import STARTED, SUCCEEDED
from tests.mayfly.jobs.samples import JOB_ID, ONE_OF_EACH, T0
from tests.triggers.function_host import ORIGIN, FunctionHost, functions
from tests.triggers.test_bad_specs import _FINE as FINE_SPECS
from tests.triggers.test_bad_specs import _WRONG as WRONG_SPECS
from tests.triggers.test_reports_api import _WRONG as WRONG_REPORTS

_ONLY_IN_WORDS = {
    # Rules between fields, and rules about bytes and meaning, that a JSON schema cannot express well.
    "nothing to do", "null instead of work", "image without a command", "message too many bytes", "NUL in the message",
    "command without a program", "blank program", "reserved env name", "reserved env name of the sample",
    "reserved secret name", "env too large", "name in env and in secrets",
    "success with an error", "failure with a result", "failure without an error", "huge result",
}  # fmt: skip
_OF_PYTHON = {
    # The schema is correct; jsonschema matches patterns with Python's `$`, which allows a newline at the end.
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


def test_every_reference_resolves_to_a_valid_schema(document: dict[str, Any]) -> None:
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
def test_its_job_spec_rejects_what_the_api_rejects(
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
def test_its_reports_reject_what_the_api_rejects(
    document: dict[str, Any], case: tuple[str, dict[str, Any], str, str]
) -> None:
    assert list(_validator(document, _KINDS[case[1]["type"]]).iter_errors(case[1])), case[0]


def _answered(document: dict[str, Any], path: str, method: str, status: int) -> Any:
    content = document["paths"][path][method]["responses"][str(status)]["content"]
    media = content.get("application/json") or content["application/problem+json"]
    return Draft202012Validator({**media["schema"], "components": document["components"]})


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
    rejected = api.call("POST", "jobs", body={})
    _answered(document, "/api/jobs", "post", 422).validate(rejected.json)
    api.composed.runner.run(api.composed.mayfly.intake.record(REJECTED))
    listed = api.call("GET", "intake")
    assert len(listed.json["refusals"]) == 1
    _answered(document, "/api/intake", "get", 200).validate(listed.json)


@pytest.mark.parametrize("body", ONE_OF_EACH, ids=lambda body: type(body).__name__)
def test_every_kind_of_event_is_described_field_by_field(document: dict[str, Any], body: Body) -> None:
    event = to_document(Event(job_id=JOB_ID, position=2, at=T0, attempt=1, source="http", body=body))
    sent = json.loads(json.dumps(event))
    validator = _validator(document, "Event")
    validator.validate(sent)
    validator.validate({**sent, "global_position": 7})
    described = document["components"]["schemas"][event["type"]]
    assert set(described.get("properties", {})) == set(sent["data"])
    for name in sent["data"]:
        without = {key: value for key, value in sent["data"].items() if key != name}
        assert list(validator.iter_errors({**sent, "data": without})), name
    assert list(validator.iter_errors({**sent, "type": "JobPaused"}))


def test_the_fields_of_a_job_have_their_docstrings_as_descriptions(document: dict[str, Any]) -> None:
    described = document["components"]["schemas"]
    assert set(described["Job"]["properties"]) == {one.name for one in dataclasses.fields(Job)}
    assert set(described["Attempt"]["properties"]) == {one.name for one in dataclasses.fields(Attempt)}
    assert described["Job"]["properties"]["failures"]["description"]
    assert not re.search(r"\(I\d", json.dumps(document)), "the invariants are known only to readers of the code"


def test_only_results_are_described_as_any_value(document: dict[str, Any]) -> None:
    anything = {
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if not {"type", "$ref", "anyOf", "oneOf", "allOf", "const", "enum"} & set(described)
    }
    assert anything == {"Job.result", "WorkerSucceeded.result", "Finished.result"}
