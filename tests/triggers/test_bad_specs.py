"""BadRequest specs: every one is refused with the field and the fix, and leaves no trace in the log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.triggers.function_host import FunctionHost
from tests.triggers.problems import assert_refused, unchanged_log


def _with(**fields: Any) -> dict[str, Any]:
    return {"message": "hi", **fields}


_WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("nothing to do", {}, "body", "a message or a command is required"),
    ("null instead of work", {"message": None}, "body", "a message or a command is required"),
    ("image without a command", {"message": "hi", "image": "busybox"}, "body", "an image needs a command"),
    ("unknown key", _with(comand=["x"]), "comand", "did you mean `command`?"),
    ("unknown key without a near name", _with(zzz=1), "zzz", "expected one of at_most_once, command, cpu"),
    ("unknown key below retry", _with(retry={"max_atempts": 2}), "retry.max_atempts", "did you mean `max_attempts`?"),
    ("key of the wrong case", _with(CPU=1), "CPU", "unknown field; "),
    ("empty key", {"message": "hi", "": 1}, "body", "unknown field"),
    ("control characters in a key", {"message": "hi", "a\x1b[31m\n": 1}, "a�[31m ", "unknown field"),
    ("very long key", {"message": "hi", "k" * 5_000: 1}, "k" * 119 + "…", "unknown field"),
    ("message is a number", {"message": 5}, "message", "must be a string (got 5)"),
    ("message is an object", {"message": {"a": 1}}, "message", 'must be a string (got {"a": 1})'),
    ("message too long", {"message": "x" * 32_769}, "message", "must have at most 32768 characters (got 32769)"),
    ("message too many bytes", {"message": "é" * 20_000}, "message", "must be at most 32768 bytes of UTF-8"),
    ("NUL in the message", {"message": "a\x00b"}, "message", "must not contain a NUL character"),
    ("command is text", {"command": "echo hi"}, "command", 'must be an array (got "echo hi")'),
    ("command is an object", {"command": {"a": 1}}, "command", "must be an array"),
    ("empty command", {"command": []}, "command", "must have at least 1 entries (got [])"),
    ("command without a program", {"command": ["", "x"]}, "command", "must start with the program to run"),
    ("blank program", {"command": ["  "]}, "command", "must start with the program to run"),
    ("number as an argument", {"command": ["sleep", 5]}, "command.1", "must be a string (got 5)"),
    ("null as an argument", {"command": ["sleep", None]}, "command.1", "must be a string (got null)"),
    ("NUL in an argument", {"command": ["a", "b\x00"]}, "command.1", "must match"),
    ("too many arguments", {"command": ["a"] * 257}, "command", "must have at most 256 entries"),
    ("too long argument", {"command": ["a", "x" * 8_193]}, "command.1", "must have at most 8192 characters (got 8193)"),
    ("image with a space", {"command": ["a"], "image": "busy box"}, "image", "must match"),
    ("image with a shell", {"command": ["a"], "image": "a;rm -rf /"}, "image", "must match"),
    ("image with a newline at its end", {"command": ["a"], "image": "busybox\n"}, "image", "must match"),
    ("image too long", {"command": ["a"], "image": "a" * 513}, "image", "must have at most 512 characters (got 513)"),
    ("empty image", {"command": ["a"], "image": ""}, "image", "must match"),
    ("name with capitals", _with(name="Resize"), "name", 'must match ^[a-z][a-z0-9]*(-[a-z0-9]+)*$ (got "Resize")'),
    ("name with two hyphens", _with(name="a--b"), "name", "must match"),
    ("name that is a path", _with(name="../../etc"), "name", "must match"),
    ("name with a newline at its end", _with(name="resize\n"), "name", "must match"),
    ("name in another script", _with(name="größe"), "name", "must match"),
    ("name too long", _with(name="a" * 25), "name", "must have at most 24 characters (got 25)"),
    ("empty name", _with(name=""), "name", "must match"),
    ("env is an array", _with(env=["A=1"]), "env", "must be an object"),
    ("env value is a number", _with(env={"A": 1}), "env.A", "must be a string (got 1)"),
    ("env name with a hyphen", _with(env={"A-B": "1"}), "env.A-B", "its name must match"),
    ("env name with an underscore at its end", _with(env={"A_": "1"}), "env.A_", "its name must match"),
    ("env name with an equals sign", _with(env={"A=B": "1"}), "env.A=B", "its name must match"),
    ("env name too long", _with(env={"A" * 64: "1"}), "env." + "A" * 64, "its name must match"),
    ("NUL in an env value", _with(env={"A": "b\x00"}), "env.A", "must match"),
    (
        "reserved env name",
        _with(env={"MAYFLY_REPORT_TOKEN": "x"}),
        "env",
        "MAYFLY_REPORT_TOKEN is reserved for Mayfly",
    ),
    ("reserved env name of the sample", _with(env={"MESSAGE": "x"}), "env", "MESSAGE is reserved for Mayfly"),
    (
        "reserved secret name",
        _with(secrets={"CONTAINER_NAME": "x"}),
        "secrets",
        "CONTAINER_NAME is reserved for Mayfly",
    ),
    ("too many env names", _with(env={f"A{n}": "" for n in range(129)}), "env", "must have at most 128 entries"),
    ("env too large", _with(env={"A": "x" * 65_536}), "env", "must be at most 65536 bytes in all (got 65537)"),
    ("secret value instead of a name", _with(secrets={"DB": "p@ss word"}), "secrets.DB", "must match"),
    ("secret that is an object", _with(secrets={"DB": {"value": "x"}}), "secrets.DB", "must be a string"),
    ("name in env and in secrets", _with(env={"A": "1"}, secrets={"A": "a"}), "body", "A is in both env and secrets"),
    ("too much cpu", _with(cpu=64), "cpu", "must be between 0.1 and 31 (got 64)"),
    ("no cpu", _with(cpu=0), "cpu", "must be between 0.1 and 31 (got 0)"),
    ("negative cpu", _with(cpu=-1), "cpu", "must be between 0.1 and 31 (got -1)"),
    ("cpu as text", _with(cpu="2"), "cpu", 'must be a number (got "2")'),
    ("cpu as a flag", _with(cpu=True), "cpu", "must be a number (got true)"),
    ("null cpu", _with(cpu=None), "cpu", "must be a number (got null)"),
    ("too much memory", _with(memory_gb=241), "memory_gb", "must be between 0.1 and 240 (got 241)"),
    ("start timeout of nothing", _with(start_timeout_s=0), "start_timeout_s", "must be between 1 and 86400 (got 0)"),
    (
        "run timeout over a month",
        _with(run_timeout_s=1e8),
        "run_timeout_s",
        "must be between 1 and 2678400 (got 100000000",
    ),
    ("labels is text", _with(labels="a=b"), "labels", "must be an object"),
    ("label with a newline", _with(labels={"a": "b\nc"}), "labels.a", "must match"),
    ("label name with a space", _with(labels={"a b": "c"}), "labels.a b", "its name must match"),
    ("label value too long", _with(labels={"a": "x" * 129}), "labels.a", "must have at most 128 characters (got 129)"),
    ("too many labels", _with(labels={f"l{n}": "" for n in range(33)}), "labels", "must have at most 32 entries"),
    ("retry is a number", _with(retry=3), "retry", "must be an object (got 3)"),
    ("no attempt", _with(retry={"max_attempts": 0}), "retry.max_attempts", "must be between 1 and 20 (got 0)"),
    ("too many attempts", _with(retry={"max_attempts": 21}), "retry.max_attempts", "must be between 1 and 20 (got 21)"),
    ("half an attempt", _with(retry={"max_attempts": 1.5}), "retry.max_attempts", "must be a whole number (got 1.5)"),
    (
        "backoff below nothing",
        _with(retry={"backoff_s": -1}),
        "retry.backoff_s",
        "must be between 0 and 86400 (got -1)",
    ),
    ("exit code 0", _with(retry={"on_exit_codes": [0]}), "retry.on_exit_codes.0", "must be between 1 and 255 (got 0)"),
    ("exit code 256", _with(retry={"on_exit_codes": [1, 256]}), "retry.on_exit_codes.1", "between 1 and 255 (got 256)"),
    (
        "unknown error class",
        _with(retry={"on_errors": ["oops"]}),
        "retry.on_errors.0",
        "must be one of 'exit', 'signal'",
    ),
    ("flag as text", _with(at_most_once="yes"), "at_most_once", 'must be true or false (got "yes")'),
    ("flag as a number", _with(at_most_once=1), "at_most_once", "must be true or false (got 1)"),
]


@pytest.mark.parametrize("path", ["jobs", "plan"])
@pytest.mark.parametrize(("body", "field", "fix"), [case[1:] for case in _WRONG], ids=[case[0] for case in _WRONG])
def test_a_wrong_spec_is_refused_with_the_field_and_the_fix(
    api: FunctionHost, path: str, body: dict[str, Any], field: str, fix: str
) -> None:
    with unchanged_log(api):
        assert_refused(api.call("POST", path, body=body), 422, field, fix)
    assert api.durable.statuses == {}, "no orchestrator was started"


def test_every_mistake_of_a_spec_is_named_at_once(api: FunctionHost) -> None:
    answer = api.call("POST", "jobs", body={"message": 1, "cpu": 64, "nmae": "x", "retry": {"max_attempts": 0}})
    assert {error["field"] for error in answer.json["errors"]} == {"message", "cpu", "nmae", "retry.max_attempts"}


_DEEP = b'{"message": "hi", "labels": ' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"}"
_DEEPER = b'{"message":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

_UNREADABLE: list[tuple[str, bytes, dict[str, str], int, str, str]] = [
    ("no body", b"", {}, 400, "body", "must be JSON in UTF-8"),
    ("not JSON", b"{message: hi}", {}, 400, "body", "must be JSON in UTF-8"),
    ("cut off", b'{"message": "hi"', {}, 400, "body", "must be JSON in UTF-8"),
    ("two documents", b'{"message":"a"}{"message":"b"}', {}, 400, "body", "must be JSON in UTF-8"),
    ("invalid UTF-8", b'{"message": "\xff"}', {}, 400, "body", "must be JSON in UTF-8"),
    ("UTF-16", '{"message": "hi"}'.encode("utf-16"), {}, 400, "body", "must be JSON in UTF-8"),
    ("byte order mark", b'\xef\xbb\xbf{"message": "hi"}', {}, 400, "body", "must be JSON in UTF-8"),
    ("array", b'[{"message": "hi"}]', {}, 400, "body", 'must be a JSON object (got [{"message": "hi"}])'),
    ("text", b'"hi"', {}, 400, "body", 'must be a JSON object (got "hi")'),
    ("number", b"5", {}, 400, "body", "must be a JSON object (got 5)"),
    ("null", b"null", {}, 400, "body", "must be a JSON object (got null)"),
    ("NaN", b'{"message": "hi", "cpu": NaN}', {}, 400, "body", "NaN is not JSON"),
    ("Infinity", b'{"message": "hi", "cpu": Infinity}', {}, 400, "body", "Infinity is not JSON"),
    ("minus Infinity", b'{"message": "hi", "cpu": -Infinity}', {}, 400, "body", "-Infinity is not JSON"),
    ("number out of range", b'{"message": "hi", "cpu": 1e999}', {}, 400, "body", "the number 1e999 is out of range"),
    ("number of 5000 digits", b'{"message": "hi", "cpu": ' + b"1" * 5_000 + b"}", {}, 400, "body", "must be JSON"),
    ("lone surrogate", b'{"message": "\\ud800"}', {}, 400, "body", "lone surrogate"),
    ("lone surrogate in a key", b'{"message": "hi", "a\\udfff": 1}', {}, 400, "body", "lone surrogate"),
    ("the same key twice", b'{"message": "hi", "cpu": 1, "cpu": 2}', {}, 400, "body", 'the key "cpu" occurs twice'),
    ("300 levels", _DEEP, {}, 400, "body", "nested"),
    ("100000 levels", _DEEPER, {}, 400, "body", "nested"),
    (
        "262145 bytes",
        b'{"message": "' + b"x" * 262_130 + b'"}',
        {},
        413,
        "body",
        "must be at most 262144 bytes (got 262145)",
    ),
    (
        "a form",
        b"message=hi",
        {"Content-Type": "application/x-www-form-urlencoded"},
        415,
        "header.Content-Type",
        "x-www-form",
    ),
    (
        "plain text",
        b'{"message": "hi"}',
        {"Content-Type": "text/plain"},
        415,
        "header.Content-Type",
        "must be application/json",
    ),
    ("no content type", b'{"message": "hi"}', {"Content-Type": ""}, 415, "header.Content-Type", "(got 'none')"),
]


@pytest.mark.parametrize("path", ["jobs", "plan", "reports"])
@pytest.mark.parametrize(
    ("raw", "headers", "status", "field", "fix"), [case[1:] for case in _UNREADABLE], ids=[c[0] for c in _UNREADABLE]
)
def test_a_body_that_cannot_be_read_is_refused(
    api: FunctionHost, path: str, raw: bytes, headers: dict[str, str], status: int, field: str, fix: str
) -> None:
    sent = {"Content-Type": "application/json", **headers}
    if path == "reports":
        job_id = api.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
        path, sent["Authorization"] = f"jobs/{job_id}/reports", f"Bearer {api.composed.token(job_id)}"
    with unchanged_log(api):
        assert_refused(api.call("POST", path, raw=raw, headers=sent), status, field, fix)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", " application/json ;x"]
)
def test_the_content_type_may_carry_parameters_and_any_case(api: FunctionHost, content_type: str) -> None:
    raw = json.dumps({"message": "hi"}).encode()
    assert api.call("POST", "jobs", raw=raw, headers={"Content-Type": content_type}).status == 202


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb", "a\x7fb", "a\x85b"])
def test_an_idempotency_key_that_cannot_be_used_is_refused(api: FunctionHost, key: str) -> None:
    with unchanged_log(api):
        answer = api.call("POST", "jobs", body={"message": "hi"}, headers={"Idempotency-Key": key})
        assert_refused(answer, 422, "header.Idempotency-Key", "must be 1 to 255 printable characters")


_FINE: list[dict[str, Any]] = [
    {"message": ""},
    {"message": "é" * 16_384},
    {"message": "hi", "command": ["echo", ""]},
    {"command": ["a"] * 256, "image": "mcr.microsoft.com/azuredocs/aci:1@sha256-0"},
    {"message": "hi", "cpu": 0.1, "memory_gb": 240, "start_timeout_s": 86_400, "run_timeout_s": 2_678_400},
    {"message": "hi", "env": {"MAYFLY_WORK_SECONDS": "1", "A": "\n\t\x1b", "a_B_1": ""}},
    {"message": "hi", "name": "a", "labels": {"a.b-c_d": "é 😀"}},
    {"message": "😀\ud83d\ude00", "retry": {"max_attempts": 20, "on_exit_codes": [1, 255], "on_errors": []}},
]


@pytest.mark.parametrize("body", _FINE, ids=range(len(_FINE)))
def test_a_spec_at_the_edge_of_what_is_allowed_is_accepted(api: FunctionHost, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    answer = api.call("POST", "jobs", raw=raw, headers={"Content-Type": "application/json"})
    assert answer.status == 202, answer.text
    stored = api.call("GET", f"jobs/{answer.json['job_id']}").json["spec"]
    assert {name: stored[name] for name in body if name != "retry"} == {
        name: value for name, value in json.loads(raw).items() if name != "retry"
    }
