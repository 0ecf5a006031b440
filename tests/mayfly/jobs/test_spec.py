"""The spec of a job: its limits, its reserved names, and the combinations that make no sense."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mayfly.jobs.spec import ENVIRONMENT_BYTES_MAX, MESSAGE_BYTES_MAX, JobSpec


def _messages(document: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as invalid:
        JobSpec.model_validate(document)
    return [error["msg"].removeprefix("Value error, ") for error in invalid.value.errors()]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "a message or a command is required"),
        ({"image": "alpine:3", "message": "hi"}, "an image needs a command"),
        ({"command": [" "]}, "must start with the program to run"),
        ({"message": "a\x00b"}, "must not contain a NUL character"),
        ({"message": "é" * (MESSAGE_BYTES_MAX // 2 + 1)}, f"must be at most {MESSAGE_BYTES_MAX} bytes of UTF-8"),
        ({"message": "hi", "env": {"A": "1"}, "secrets": {"A": "db"}}, "A is in both env and secrets; remove one"),
        ({"message": "hi", "env": {"MAYFLY_TOKEN": "1"}}, "MAYFLY_TOKEN is reserved for Mayfly"),
        ({"message": "hi", "secrets": {"MESSAGE": "db"}}, "MESSAGE is reserved for Mayfly"),
        ({"message": "hi", "env": {"A": "x" * ENVIRONMENT_BYTES_MAX}}, f"(got {ENVIRONMENT_BYTES_MAX + 1})"),
    ],
)
def test_an_invalid_spec_is_rejected_with_the_fix(document: dict[str, Any], message: str) -> None:
    (found,) = _messages(document)
    assert message in found


@pytest.mark.parametrize("name", ["_A", "A_", "1A", "A-B", "", "A" * 64])
def test_azure_does_not_accept_this_name_of_a_variable(name: str) -> None:
    assert _messages({"message": "hi", "env": {name: "1"}})


@pytest.mark.parametrize("name", ["a", "A1", "MAYFLY_WORK_SECONDS", "MAYFLY", "MESSAGES", "A" * 63])
def test_other_names_of_variables_are_free(name: str) -> None:
    assert JobSpec(message="hi", env={name: "1"}).env == {name: "1"}


def test_limits_include_their_bounds() -> None:
    spec = JobSpec(message="é" * (MESSAGE_BYTES_MAX // 2), env={"A": "x" * (ENVIRONMENT_BYTES_MAX - 1)}, cpu=31)
    assert JobSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize("value", ["1", True, None])
def test_numbers_are_not_converted_from_other_types(value: object) -> None:
    assert _messages({"message": "hi", "cpu": value})


def test_lists_of_json_become_values_that_cannot_change() -> None:
    spec = JobSpec.model_validate({"command": ["a", "b"], "retry": {"on_exit_codes": [1, 75], "on_errors": ["signal"]}})
    assert spec.command == ("a", "b")
    assert (spec.retry.on_exit_codes, spec.retry.on_errors) == ((1, 75), ("signal",))
    with pytest.raises(ValidationError):
        spec.command = ("c",)


def test_only_an_image_of_the_user_is_judged_by_its_exit_code() -> None:
    assert JobSpec(command=("true",), image="alpine:3").judged_by_exit_code
    assert not JobSpec(command=("true",)).judged_by_exit_code
