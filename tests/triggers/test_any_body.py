"""Random JSON, near-specs and near-reports never cause a 500, and everything that is accepted is valid.

The functions are called on memory alone, so that hundreds of bodies take seconds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from mayfly import composition
from mayfly.jobs import events as e
from mayfly.jobs.spec import JobSpec, RetryPolicy
from tests.mayfly.composed import STARTED, compose
from tests.mayfly.jobs.samples import CLAIM, OTHER_CLAIM
from tests.sampling import examples
from tests.triggers.function_host import Answer, DurableHost, FunctionHost, patch_durable_client

_settings = examples(200, HealthCheck.function_scoped_fixture)

_text = st.text(st.characters(codec=None), max_size=30)
_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-3, 300)
    | st.floats()
    | _text
    | st.sampled_from(["exit", "signal", CLAIM, OTHER_CLAIM, "succeeded", "failed", "hi"])
)
_json = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text | st.just("A"), inner, max_size=4),
    max_leaves=12,
)
_specs = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(JobSpec.model_fields, _json),
        "message": _text | _json,
        "command": st.lists(_text, max_size=3) | _json,
        "env": st.dictionaries(st.sampled_from(["A", "B_1", "MESSAGE", ""]), _text | _json, max_size=3),
        "retry": st.dictionaries(st.sampled_from([*RetryPolicy.model_fields, "x"]), _json, max_size=3),
    },
)
_reports = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["started", "progress", "finished"]) | _json,
        "claim": st.just(CLAIM) | _json,
        "sequence": st.integers(1, 9) | _json,
        "fraction": st.floats() | _json,
        "message": _text | _json,
        "outcome": st.sampled_from(["succeeded", "failed"]) | _json,
        "exit_code": st.integers(-1, 256) | _json,
        "result": _json,
        "error": st.fixed_dictionaries({}, optional={"class": st.just("exit") | _json, "message": _text}) | _json,
        "output_tail": _text | _json,
        "usage": _json,
        "x": _json,
    },
)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[FunctionHost]:
    durable = DurableHost()
    patch_durable_client(monkeypatch, durable)
    with asyncio.Runner() as runner:
        composed = compose(runner, groups_max=1_000_000)  # every example leaves a job that runs
        composition.use(composed.mayfly)
        yield FunctionHost(composed, durable)
        composition.use(None)
        composed.close()


def _sent(memory: FunctionHost, path: str, raw: bytes, token: str | None = None) -> Answer:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    answer = memory.call("POST", path, raw=raw, headers=headers)
    assert answer.status < 500, answer.text
    if answer.status >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json["status"] == answer.status
    return answer


@given(_json | _specs)
@_settings
def test_any_json_as_a_spec_is_accepted_whole_or_rejected_with_a_message(memory: FunctionHost, value: Any) -> None:
    before = len(memory.composed.whole_log())
    answer = _sent(memory, "jobs", json.dumps(value).encode())
    added = memory.composed.whole_log()[before:]
    if answer.status == 202:
        (event,) = added
        assert isinstance(event.body, e.JobSubmitted)
        assert e.from_document(json.loads(json.dumps(e.to_document(event)))) == event
        stored = memory.call("GET", f"jobs/{answer.json['job_id']}").json["spec"]
        for name, given_value in value.items():
            if name not in ("retry", "env", "secrets", "labels"):
                assert stored[name] == given_value
    else:
        assert answer.status in (400, 422)
        assert added == []


@given(st.binary(max_size=60))
@_settings
def test_any_bytes_as_a_spec_are_rejected_with_a_message(memory: FunctionHost, raw: bytes) -> None:
    assert _sent(memory, "jobs", raw).status in (400, 422)


@given(_reports | _json)
@_settings
def test_any_json_as_a_report_is_accepted_or_rejected_with_a_message(memory: FunctionHost, value: Any) -> None:
    job_id: str = memory.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
    memory.perform("begin_attempt", job_id)
    memory.report(job_id, STARTED)
    before = memory.composed.events(job_id)
    answer = _sent(memory, f"jobs/{job_id}/reports", json.dumps(value).encode(), memory.composed.token(job_id))
    after = memory.composed.events(job_id)
    assert answer.status in (200, 202, 400, 409, 422)
    if answer.status == 202:
        assert len(after) > len(before)
        for event in after:
            assert e.body_from_json(event.type, e.body_to_json(event.body)) == event.body
        shown = memory.call("GET", f"jobs/{job_id}")
        assert shown.status == 200
        if value["type"] == "finished" and value["outcome"] == "succeeded":
            assert shown.json["result"] == value.get("result")
    else:
        assert [event for event in after if event.type != "ReportIgnored"] == list(before)


@given(
    st.dictionaries(
        st.sampled_from(["state", "label", "name", "after", "before", "archived", "limit", "cursor"]), _text
    )
)
@_settings
def test_any_query_of_the_list_is_answered_or_rejected_with_a_message(
    memory: FunctionHost, params: dict[str, str]
) -> None:
    sendable = {name: value.encode("utf-8", "replace").decode() for name, value in params.items()}
    answer = memory.call("GET", "jobs", params=sendable)
    assert answer.status in (200, 422), answer.text


@given(_text)
@_settings
def test_any_token_is_rejected_with_a_message(memory: FunctionHost, token: str) -> None:
    """A header is Latin-1 on the wire."""
    sendable = token.encode("latin-1", "replace").decode("latin-1")
    headers = {"Authorization": f"Bearer {sendable}"}
    answer = memory.call("POST", "jobs/ada-abcdefghij/reports", body=STARTED, headers=headers)
    assert answer.status == 401, answer.text
