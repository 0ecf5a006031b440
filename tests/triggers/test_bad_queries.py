"""BadRequest queries and small bodies: named with the value and the fix, and never a 500."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from mayfly.wording.text import printable
from tests.triggers.function_host import FunctionHost
from tests.triggers.problems import assert_refused, unchanged_log


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


_WHOLE = "must be a whole number between"

_WRONG: list[tuple[str, str, str, str]] = [
    ("jobs", "limit", "0", f'{_WHOLE} 1 and 200 (got "0")'),
    ("jobs", "limit", "201", f'{_WHOLE} 1 and 200 (got "201")'),
    ("jobs", "limit", "-1", _WHOLE),
    ("jobs", "limit", "1.5", _WHOLE),
    ("jobs", "limit", "ten", _WHOLE),
    ("jobs", "limit", "", _WHOLE),
    ("jobs", "limit", " 5", _WHOLE),
    ("jobs", "limit", "1_0", _WHOLE),
    ("jobs", "limit", "٣", _WHOLE),
    ("jobs", "limit", "9" * 5_000, _WHOLE),
    ("jobs", "cursor", "", 'must be a cursor that an earlier page returned (got "")'),
    ("jobs", "cursor", "hello", "must be a cursor that an earlier page returned"),
    ("jobs", "cursor", "é", "must be a cursor that an earlier page returned"),
    ("jobs", "cursor", "\x00", "must be a cursor that an earlier page returned"),
    ("jobs", "cursor", _cursor("2026-01-31T12:00:00+00:00"), "must be a cursor"),
    ("jobs", "cursor", _cursor("yesterday|ada-abcdefghij"), "must be a cursor"),
    ("jobs", "cursor", _cursor("2026-01-31T12:00:00+00:00|' OR 1=1 --"), "must be a cursor"),
    ("jobs", "cursor", _cursor("2026-01-31T12:00:00+00:00|ada-abcdefghij\n"), "must be a cursor"),
    ("jobs", "cursor", "x" * 10_000, "must be a cursor"),
    ("jobs", "state", "runing", "must be states, separated by commas; did you mean `running`?"),
    ("jobs", "state", "", "must be states, separated by commas; expected one of"),
    ("jobs", "state", "running,", "must be states, separated by commas"),
    ("jobs", "state", "RUNNING", "must be states, separated by commas"),
    ("jobs", "label", "team", 'must be NAME=VALUE pairs, separated by commas (got "team")'),
    ("jobs", "label", "=blue", "must be NAME=VALUE"),
    ("jobs", "label", "", "must be NAME=VALUE"),
    ("jobs", "label", "team=blue,", "must be NAME=VALUE"),
    ("jobs", "label", "team=blue,team=red", "must name each label once"),
    ("jobs", "name", "n" * 65, "must have at most 64 characters (got 65)"),
    ("jobs", "after", "yesterday", 'must be a time such as 2026-01-31T12:00:00Z (got "yesterday")'),
    ("jobs", "after", "", "must be a time such as"),
    ("jobs", "after", "2026-02-30T00:00:00Z", "must be a time such as"),
    ("jobs", "before", "0001-01-01T00:00:00+14:00", "must be a time such as"),
    ("jobs", "before", "9999-12-31T23:59:59-14:00", "must be a time such as"),
    ("jobs", "before", "1769860800", "must be a time such as"),
    ("jobs", "archived", "yes", 'must be true or false (got "yes")'),
    ("jobs", "archived", "True", 'must be true or false (got "True")'),
    ("jobs", "archived", "", "must be true or false"),
    ("jobs", "stat", "running", "unknown parameter; did you mean `state`?"),
    ("jobs", "a\n\x1b", "1", ""),
    ("jobs/{job}", "verbose", "1", "unknown parameter; this endpoint takes none"),
    ("jobs/{job}/events", "after", "-1", f"{_WHOLE} 0 and 2147483648"),
    ("jobs/{job}/events", "after", "2147483649", f"{_WHOLE} 0 and 2147483648"),
    ("jobs/{job}/events", "limit", "1001", f"{_WHOLE} 1 and 1000"),
    ("jobs/{job}/events", "afer", "1", "unknown parameter; did you mean `after`?"),
    ("jobs/{job}/logs", "attempt", "0", f"{_WHOLE} 1 and 10000"),
    ("jobs/{job}/logs", "after", "5", "must be the `mark` of an earlier response"),
    ("jobs/{job}/logs", "attempt", "last", f"{_WHOLE} 1 and 10000"),
    ("jobs/{job}/metrics", "attempt", "10001", f"{_WHOLE} 1 and 10000"),
    ("events", "after", "x", f"{_WHOLE} 0 and 9223372036854775807"),
    ("events", "limit", "0", f"{_WHOLE} 1 and 1000"),
]


@pytest.mark.parametrize(("path", "name", "value", "fix"), _WRONG, ids=[f"{c[0]}?{c[1]}={c[2]}"[:60] for c in _WRONG])
def test_a_wrong_query_is_refused_with_its_name_and_the_fix(
    api: FunctionHost, path: str, name: str, value: str, fix: str
) -> None:
    job_id = api.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
    with unchanged_log(api):
        answer = api.call("GET", path.format(job=job_id), params={name: value})
        shown = printable(name)
        assert_refused(answer, 422, f"query.{shown}", fix)


@pytest.mark.parametrize("path", ["jobs", "jobs/{job}/cancel", "jobs/{job}/archive", "plan"])
def test_a_query_where_none_belongs_is_refused_and_nothing_is_done(api: FunctionHost, path: str) -> None:
    job_id = api.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
    with unchanged_log(api):
        answer = api.call("POST", path.format(job=job_id), body={"message": "hi"}, params={"force": "1"})
        assert_refused(answer, 422, "query.force", "unknown parameter; this endpoint takes none")


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("cursor", "x", "must be a cursor"),
        ("curser", "x", "did you mean `cursor`?"),
    ],
)
def test_a_wrong_step_of_a_clear_is_refused_and_clears_nothing(
    api: FunctionHost, name: str, value: str, fix: str
) -> None:
    api.call("POST", "jobs", body={"message": "hi"})
    api.composed.project()
    with unchanged_log(api):
        assert_refused(api.call("POST", "jobs/clear", params={name: value}), 422, f"query.{name}", fix)


def test_the_function_key_in_the_query_is_no_mistake(api: FunctionHost) -> None:
    assert api.call("GET", "jobs", params={"code": "secret"}).status == 200


_WRONG_REASONS: list[tuple[str, bytes, int, str, str]] = [
    ("not JSON", b"because", 400, "body", "must be JSON in UTF-8"),
    ("array", b"[]", 400, "body", "must be a JSON object"),
    ("unknown key", b'{"raeson": "x"}', 422, "raeson", "unknown field; did you mean `reason`?"),
    ("control characters in a key", b'{"a\\u001b": "x"}', 422, "a�", "unknown field"),
    ("half a character in a key", b'{"\\ud800": "x"}', 400, "body", "lone surrogate"),
    ("half a character", b'{"reason": "\\ud800"}', 400, "body", "lone surrogate"),
    ("number", b'{"reason": 5}', 422, "reason", "must be a string (got 5)"),
    ("too long", b'{"reason": "' + b"x" * 501 + b'"}', 422, "reason", "must have at most 500 characters (got 501)"),
    ("object", b'{"reason": {"a": 1}}', 422, "reason", "must be a string"),
]


@pytest.mark.parametrize(
    ("raw", "status", "field", "fix"), [case[1:] for case in _WRONG_REASONS], ids=[case[0] for case in _WRONG_REASONS]
)
def test_a_wrong_reason_is_refused_and_cancels_nothing(
    api: FunctionHost, raw: bytes, status: int, field: str, fix: str
) -> None:
    job_id = api.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
    with unchanged_log(api):
        answer = api.call("POST", f"jobs/{job_id}/cancel", raw=raw, headers={"Content-Type": "application/json"})
        assert_refused(answer, status, field, fix)
    assert api.composed.job(job_id).state == "queued"


@pytest.mark.parametrize("source", ["", "orchestrator", "x" * 5_000, "CLI", "\x1b"])
def test_only_the_cli_and_the_dashboard_may_name_themselves(api: FunctionHost, source: str) -> None:
    answer = api.call("POST", "jobs", body={"message": "hi"}, headers={"X-Mayfly-Source": source})
    assert api.composed.job(answer.json["job_id"]).source == "http"


@pytest.mark.parametrize("value", ["%", "_", "'", "\x00", "😀", "ada%", "\\"])
def test_a_name_filter_is_text_and_no_pattern(api: FunctionHost, value: str) -> None:
    api.call("POST", "jobs", body={"message": "hi", "name": "adam"})
    api.composed.project()
    answer: dict[str, Any] = api.call("GET", "jobs", params={"name": value}).json
    assert answer == {"jobs": [], "cursor": None}
