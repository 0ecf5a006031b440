"""Invalid reports: the token is checked first, each mistake is named, and a late report changes nothing."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest

from mayfly.jobs import events as e
from tests.mayfly.composed import REPORT_KEY, STARTED, SUCCEEDED
from tests.mayfly.jobs.samples import CLAIM, OTHER_CLAIM
from tests.triggers.function_host import FunctionHost
from tests.triggers.problems import assert_refused, unchanged_log


@pytest.fixture
def job_id(api: FunctionHost) -> str:
    """A job whose first attempt has a container, and no claim yet."""
    job_id: str = api.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
    api.perform("begin_attempt", job_id)
    return job_id


@pytest.fixture
def claimed(api: FunctionHost, job_id: str) -> str:
    """A job whose first attempt is claimed."""
    assert api.report(job_id, STARTED).status == 202
    return job_id


def _finished(**fields: Any) -> dict[str, Any]:
    return {**SUCCEEDED, **fields}


def _failed(**fields: Any) -> dict[str, Any]:
    failure = {"class": "exit", "message": "exit code 1", **fields}
    return {"type": "finished", "claim": CLAIM, "outcome": "failed", "exit_code": 1, "error": failure}


def _progress(**fields: Any) -> dict[str, Any]:
    return {"type": "progress", "claim": CLAIM, "sequence": 1, **fields}


_HEX = "must match ^[0-9a-f]{32}$"

_WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("no type", {"claim": CLAIM}, "type", "unknown type; expected one of started, progress, finished (got null)"),
    ("unknown type", {"type": "strated", "claim": CLAIM}, "type", 'did you mean `started`? (got "strated")'),
    ("type is a number", {"type": 1, "claim": CLAIM}, "type", "expected one of started, progress, finished (got 1)"),
    ("type is an object", {"type": {"a": 1}, "claim": CLAIM}, "type", "expected one of started, progress, finished"),
    ("no claim", {"type": "started"}, "claim", "is required"),
    ("short claim", {"type": "started", "claim": "abc"}, "claim", _HEX),
    ("claim in capitals", {"type": "started", "claim": "A" * 32}, "claim", _HEX),
    ("claim with a newline", {"type": "started", "claim": "a" * 32 + "\n"}, "claim", _HEX),
    ("claim is a number", {"type": "started", "claim": 1}, "claim", "must be a string (got 1)"),
    ("unknown key", {**STARTED, "attempt": 1}, "attempt", "unknown field; expected one of claim, type"),
    ("near key", {**STARTED, "clam": CLAIM}, "clam", "did you mean `claim`?"),
    ("no sequence", {"type": "progress", "claim": CLAIM}, "sequence", "is required"),
    ("sequence 0", _progress(sequence=0), "sequence", "must be between 1 and 2147483648 (got 0)"),
    (
        "sequence too large",
        _progress(sequence=2**40),
        "sequence",
        "must be between 1 and 2147483648 (got 1099511627776)",
    ),
    ("half a sequence", _progress(sequence=1.5), "sequence", "must be a whole number (got 1.5)"),
    ("fraction over 1", _progress(fraction=1.01), "fraction", "must be between 0 and 1 (got 1.01)"),
    ("fraction below 0", _progress(fraction=-0.1), "fraction", "must be between 0 and 1 (got -0.1)"),
    ("fraction as text", _progress(fraction="half"), "fraction", 'must be a number (got "half")'),
    (
        "progress message too long",
        _progress(message="x" * 501),
        "message",
        "must have at most 500 characters (got 501)",
    ),
    ("no outcome", {"type": "finished", "claim": CLAIM}, "outcome", "is required"),
    ("unknown outcome", _finished(outcome="ok"), "outcome", "must be one of 'succeeded' or 'failed' (got \"ok\")"),
    ("exit code 256", _finished(exit_code=256), "exit_code", "must be between 0 and 255 (got 256)"),
    ("negative exit code", _finished(exit_code=-9), "exit_code", "must be between 0 and 255 (got -9)"),
    ("exit code as a flag", _finished(exit_code=True), "exit_code", "must be a whole number (got true)"),
    (
        "success with an error",
        _finished(error={"class": "exit", "message": ""}),
        "error",
        "is only allowed with outcome failed",
    ),
    ("failure with a result", {**_failed(), "result": {"n": 1}}, "result", "is only allowed with outcome succeeded"),
    ("failure without an error", _finished(outcome="failed"), "error", "is required with outcome failed"),
    ("unknown error class", _failed(**{"class": "oops"}), "error.class", "must be one of 'exit', 'signal'"),
    (
        "error message too long",
        _failed(message="x" * 2_001),
        "error.message",
        "must have at most 2000 characters (got 2001)",
    ),
    ("unknown key in the error", _failed(mesage="x"), "error.mesage", "did you mean `message`?"),
    ("error is text", {**_failed(), "error": "broken"}, "error", 'must be an object (got "broken")'),
    (
        "output tail too long",
        _finished(output_tail="x" * 16_385),
        "output_tail",
        "at most 16384 characters (got 16385)",
    ),
    ("output tail is null", _finished(output_tail=None), "output_tail", "must be a string (got null)"),
    ("huge result", _finished(result="x" * 65_536), "result", "must be at most 65536 bytes of JSON (got 65538)"),
    (
        "negative cpu seconds",
        _finished(usage={"cpu_s": -1}),
        "usage.cpu_s",
        "must be between 0 and 1000000000000 (got -1)",
    ),
    ("negative memory", _finished(usage={"memory_peak_bytes": -1}), "usage.memory_peak_bytes", "must be between 0 and"),
    ("usage is a number", _finished(usage=1), "usage", "must be an object (got 1)"),
]


@pytest.mark.parametrize(("body", "field", "fix"), [case[1:] for case in _WRONG], ids=[case[0] for case in _WRONG])
def test_an_invalid_report_is_rejected_with_the_field_and_the_fix(
    api: FunctionHost, claimed: str, body: dict[str, Any], field: str, fix: str
) -> None:
    with unchanged_log(api):
        assert_refused(api.report(claimed, body), 422, field, fix)


def _encoded(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def _forged(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    return f"{_encoded(header)}.{_encoded(claims)}.{signature}"


def _tokens(api: FunctionHost, job_id: str) -> dict[str, str]:
    """Return credentials that must not open anything."""
    good = api.composed.token(job_id)
    header, claims, signature = good.split(".")
    exp = api.composed.clock.now() + timedelta(hours=1)
    said = {"aud": "mayfly-report", "sub": job_id, "att": 1, "exp": int(exp.timestamp())}
    return {
        "no header": "",
        "no scheme": good,
        "another scheme": f"Basic {good}",
        "no token": "Bearer",
        "an empty token": "Bearer ",
        "not a token": "Bearer hello",
        "dots": "Bearer ...",
        "unicode": "Bearer é.é.é",
        "cut off": f"Bearer {good[:-4]}",
        "two tokens": f"Bearer {good} {good}",
        "signature of another": f"Bearer {header}.{claims}.{api.composed.token(job_id, 2).split('.')[2]}",
        "claims changed": f"Bearer {header}.{_encoded({**said, 'att': 2})}.{signature}",
        "no signature": f"Bearer {header}.{claims}.",
        "algorithm none": f"Bearer {_forged({'alg': 'none', 'typ': 'JWT'}, said)}",
        "algorithm nOnE": f"Bearer {_forged({'alg': 'nOnE', 'typ': 'JWT'}, said)}",
        "algorithm as a list": f"Bearer {_forged({'alg': ['HS256']}, said, 'x')}",
        "another algorithm": f"Bearer {jwt.encode(said, REPORT_KEY.ljust(64), 'HS512')}",
        "another key": f"Bearer {jwt.encode(said, b'somebody else has this key of 32 bytes', 'HS256')}",
        "another audience": f"Bearer {jwt.encode({**said, 'aud': 'other'}, REPORT_KEY, 'HS256')}",
        "no audience": f"Bearer {jwt.encode({k: v for k, v in said.items() if k != 'aud'}, REPORT_KEY, 'HS256')}",
        "no expiry": f"Bearer {jwt.encode({k: v for k, v in said.items() if k != 'exp'}, REPORT_KEY, 'HS256')}",
        "no job": f"Bearer {jwt.encode({k: v for k, v in said.items() if k != 'sub'}, REPORT_KEY, 'HS256')}",
        "no attempt": f"Bearer {jwt.encode({k: v for k, v in said.items() if k != 'att'}, REPORT_KEY, 'HS256')}",
        "not valid yet": f"Bearer {jwt.encode({**said, 'nbf': 99_999_999_999}, REPORT_KEY, 'HS256')}",
        "header nested 50000 deep": f"Bearer {base64.urlsafe_b64encode(b'[' * 50_000).decode()}.e30.x",
        "an unknown critical header": f"Bearer {_forged({'alg': 'HS256', 'crit': ['x'], 'x': 1}, said, 'x')}",
    }


_TOKEN_NAMES = [
    "no header",
    "no scheme",
    "another scheme",
    "no token",
    "an empty token",
    "not a token",
    "dots",
    "unicode",
    "cut off",
    "two tokens",
    "signature of another",
    "claims changed",
    "no signature",
    "algorithm none",
    "algorithm nOnE",
    "algorithm as a list",
    "another algorithm",
    "another key",
    "another audience",
    "no audience",
    "no expiry",
    "no job",
    "no attempt",
    "not valid yet",
    "header nested 50000 deep",
    "an unknown critical header",
]


@pytest.mark.parametrize("name", _TOKEN_NAMES)
@pytest.mark.parametrize("body", [STARTED, {"type": "nonsense"}], ids=["a report", "nonsense"])
def test_a_token_that_is_not_ours_gives_no_access(
    api: FunctionHost, job_id: str, name: str, body: dict[str, Any]
) -> None:
    """It does not reveal the format either: the token is checked before the body."""
    tokens = _tokens(api, job_id)
    assert list(tokens) == _TOKEN_NAMES
    with unchanged_log(api):
        headers = {"Authorization": tokens[name]} if tokens[name] else {}
        answer = api.call("POST", f"jobs/{job_id}/reports", body=body, headers=headers)
        assert_refused(answer, 401, "header.Authorization", "token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "nonsense" not in answer.text


def test_an_expired_token_is_rejected_to_the_second(api: FunctionHost, job_id: str) -> None:
    token = api.composed.token(job_id, lifetime_s=60)
    api.composed.clock.advance(59)
    assert api.report(job_id, STARTED, token=token).status == 202
    api.composed.clock.advance(1)
    with unchanged_log(api):
        assert_refused(api.report(job_id, SUCCEEDED, token=token), 401, "header.Authorization", "has expired")


def test_a_token_of_another_job_is_rejected(api: FunctionHost, job_id: str) -> None:
    other: str = api.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
    api.perform("begin_attempt", other)
    with unchanged_log(api):
        answer = api.report(job_id, STARTED, token=api.composed.token(other))
        assert_refused(answer, 403, "header.Authorization", "belongs to another job")


def test_the_scheme_of_the_token_may_have_any_case(api: FunctionHost, job_id: str) -> None:
    headers = {"AUTHORIZATION": f"bEARER {api.composed.token(job_id)}"}
    assert api.call("POST", f"jobs/{job_id}/reports", body=STARTED, headers=headers).status == 202


def test_a_token_of_a_nonexistent_attempt_is_rejected_and_leaves_no_trace(api: FunctionHost, claimed: str) -> None:
    for attempt in (0, 2, -1, 10_000):
        with unchanged_log(api):
            assert_refused(api.report(claimed, STARTED, attempt=attempt), 410, "attempt", "stop and exit with code 0")


def test_a_query_with_a_report_is_rejected(api: FunctionHost, claimed: str) -> None:
    headers = {"Authorization": f"Bearer {api.composed.token(claimed)}"}
    with unchanged_log(api):
        answer = api.call("POST", f"jobs/{claimed}/reports", body=_progress(), headers=headers, params={"attempt": "2"})
        assert_refused(answer, 422, "query.attempt", "unknown parameter; this endpoint takes none")


@pytest.mark.parametrize("body", [_progress(), SUCCEEDED, _failed()], ids=["progress", "success", "failure"])
def test_a_report_before_the_claim_is_rejected(api: FunctionHost, job_id: str, body: dict[str, Any]) -> None:
    with unchanged_log(api):
        assert_refused(
            api.report(job_id, body), 409, "attempt", "report `started` with this claim before any other report"
        )


@pytest.mark.parametrize(
    "body", [STARTED, _progress(), SUCCEEDED, _failed()], ids=["start", "progress", "ok", "failure"]
)
def test_a_report_of_another_claim_is_rejected_and_recorded_once(
    api: FunctionHost, claimed: str, body: dict[str, Any]
) -> None:
    before = api.composed.whole_log()
    for _ in range(3):
        answer = api.report(claimed, {**body, "claim": OTHER_CLAIM})
        assert_refused(answer, 409, "attempt", "exit with code 0 without doing the work")
    added = api.composed.whole_log()[len(before) :]
    kind = "started" if body is STARTED else str(body["type"])
    assert [event.body for event in added] == [
        e.ReportIgnored(report=kind, reason="claimed_by_another", claim=OTHER_CLAIM)  # type: ignore[arg-type]
    ]
    assert api.composed.job(claimed).state == "running"


@pytest.mark.parametrize(
    "body", [STARTED, _progress(sequence=9), SUCCEEDED, _failed()], ids=["start", "progress", "ok", "no"]
)
def test_after_a_cancel_each_kind_of_report_is_rejected_and_recorded_once(
    api: FunctionHost, claimed: str, body: dict[str, Any]
) -> None:
    """I3."""
    api.call("POST", f"jobs/{claimed}/cancel")
    before = api.composed.whole_log()
    for _ in range(3):
        assert_refused(api.report(claimed, body), 410, "attempt", "stop and exit with code 0")
    added = api.composed.whole_log()[len(before) :]
    assert [event.body for event in added] == [
        e.ReportIgnored(report=str(body["type"]), reason="attempt_over", claim=CLAIM)  # type: ignore[arg-type]
    ]
    assert api.composed.job(claimed).state == "canceled"


@pytest.mark.parametrize(
    "body", [STARTED, _progress(sequence=9), SUCCEEDED, _failed()], ids=["start", "progress", "ok", "no"]
)
def test_a_report_repeated_after_the_end_is_answered_as_seen(
    api: FunctionHost, claimed: str, body: dict[str, Any]
) -> None:
    assert api.report(claimed, SUCCEEDED).status == 202
    with unchanged_log(api):
        answer = api.report(claimed, body)
    assert (answer.status, answer.json) == (200, {"verdict": "seen"})
    assert api.composed.job(claimed).state == "succeeded"


def test_a_report_of_an_earlier_attempt_is_rejected_and_recorded(api: FunctionHost) -> None:
    job_id: str = api.call("POST", "jobs", body={"message": "hi", "retry": {"max_attempts": 2, "backoff_s": 0}}).json[
        "job_id"
    ]
    api.perform("begin_attempt", job_id)
    group = api.composed.runtime.requests[0].group
    api.report(job_id, STARTED, attempt=1)
    api.composed.runtime.move(group, "exited", exit_code=137)
    api.perform("observe_attempt", job_id)
    api.perform("end_attempt", job_id)
    api.perform("begin_attempt", job_id)
    assert api.composed.job(job_id).state == "starting"
    before = api.composed.whole_log()
    assert_refused(api.report(job_id, SUCCEEDED, attempt=1), 410, "attempt", "stop")
    added = api.composed.whole_log()[len(before) :]
    assert [(event.attempt, event.type) for event in added] == [(1, "ReportIgnored")]
    assert api.report(job_id, {**STARTED, "claim": OTHER_CLAIM}, attempt=2).status == 202


def test_repeated_or_outdated_progress_writes_nothing(api: FunctionHost, claimed: str) -> None:
    assert api.report(claimed, _progress(sequence=5)).status == 202
    with unchanged_log(api):
        for sequence in (5, 4, 1):
            assert api.report(claimed, _progress(sequence=sequence)).status == 200


@pytest.mark.parametrize(
    "job_id",
    [
        "ada-abcdefghij",
        "../../etc/passwd",
        "%2e%2e",
        "ada-abcdefghij\n",
        "ADA-ABCDEFGHIJ",
        "a" * 5_000,
        "",
        "ада-abcdefghij",
        "ada-abcdefghij/..",
        "ada-abcdefghi",
        "ada-abcdefghij'--",
        "\x00",
        "ada-abcdefghij\x00",
    ],
    ids=range(13),
)
@pytest.mark.parametrize("call", ["show", "events", "logs", "metrics", "cancel", "archive", "reports"])
def test_an_invalid_id_is_not_found(api: FunctionHost, job_id: str, call: str) -> None:
    path = "jobs/any" if call == "show" else f"jobs/any/{call}"
    method = "POST" if call in ("cancel", "archive", "reports") else "GET"
    headers = {"Authorization": f"Bearer {api.composed.token(job_id)}"}
    body = STARTED if call == "reports" else None
    with unchanged_log(api):
        answer = api.call(method, path, body=body, headers=headers, route={"job_id": job_id})
        assert_refused(answer, 404, "job_id", "list the jobs with GET /api/jobs")
    assert len(answer.text) < 600
