"""Untrusted JSON: every limit of a body, and a message for every kind of mistake."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from mayfly.errors import Rejected
from mayfly.validation import BODY_BYTES_MAX, JSON_DEPTH_MAX, parse_object, validated

_JSON = "application/json; charset=utf-8"


class _Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    size: Annotated[int, Field(ge=1, le=9)] = 1


class _Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(max_length=3, pattern="^[a-z]*$")
    color: Literal["red", "blue"] = "red"
    inner: _Inner = _Inner()
    sizes: tuple[Annotated[int, Field(ge=0)], ...] = Field(default=(), max_length=2)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        (b"{}", "text/plain", 415, "must be application/json (got 'text/plain')"),
        (b"{}", None, 415, "must be application/json (got 'none')"),
        (b" " * (BODY_BYTES_MAX + 1), _JSON, 413, f"must be at most {BODY_BYTES_MAX} bytes"),
        (b"{", _JSON, 400, "must be JSON in UTF-8"),
        (b"\xff", _JSON, 400, "must be JSON in UTF-8"),
        (b"[1]", _JSON, 400, "must be a JSON object (got [1])"),
        (b'{"a": 1, "a": 2}', _JSON, 400, 'the key "a" occurs twice'),
        (b'{"a": NaN}', _JSON, 400, "NaN is not JSON"),
        (b'{"a": 1e999}', _JSON, 400, "the number 1e999 is out of range"),
        (b'{"a": "\\ud800"}', _JSON, 400, "it contains a lone surrogate"),
        (b'{"a": ' + b"[" * JSON_DEPTH_MAX + b"]" * JSON_DEPTH_MAX + b"}", _JSON, 400, "nested deeper than 100 levels"),
    ],
)
def test_a_body_that_is_not_an_object_we_can_store_is_rejected(
    body: bytes, content_type: str | None, status: int, message: str
) -> None:
    with pytest.raises(Rejected) as rejected:
        parse_object(body, content_type=content_type)
    assert rejected.value.status == status
    assert message in rejected.value.errors[0].message


def test_the_deepest_body_and_the_largest_one_are_parsed() -> None:
    depth = JSON_DEPTH_MAX - 1
    assert parse_object(b'{"a": ' + b"[" * depth + b"]" * depth + b"}", content_type=_JSON)
    padded = b'{"a": "' + b"x" * (BODY_BYTES_MAX - 9) + b'"}'
    assert len(padded) == BODY_BYTES_MAX
    assert parse_object(padded, content_type=_JSON)


@pytest.mark.parametrize(
    ("document", "field", "message"),
    [
        ({}, "name", "is required"),
        ({"name": "abcd"}, "name", "must have at most 3 characters (got 4)"),
        ({"name": "A"}, "name", 'must match ^[a-z]*$ (got "A")'),
        ({"name": 5}, "name", "must be a string (got 5)"),
        ({"name": "a", "colour": "red"}, "colour", "unknown field; did you mean `color`?"),
        ({"name": "a", "zzz": 1}, "zzz", "unknown field; expected one of color, inner, name, sizes"),
        ({"name": "a", "color": "green"}, "color", "must be one of 'red' or 'blue' (got \"green\")"),
        ({"name": "a", "inner": {"size": 10}}, "inner.size", "must be between 1 and 9 (got 10)"),
        ({"name": "a", "inner": {"siz": 1}}, "inner.siz", "unknown field; did you mean `size`?"),
        ({"name": "a", "inner": []}, "inner", "must be an object (got [])"),
        ({"name": "a", "sizes": (1, -1)}, "sizes.1", "must be at least 0 (got -1)"),
        ({"name": "a", "sizes": (1, 2, 3)}, "sizes", "must have at most 2 entries (got [1, 2, 3])"),
    ],
)
def test_a_mistake_names_the_field_the_rule_and_the_value(document: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(Rejected) as rejected:
        validated(_Outer, document, title="invalid thing")
    assert rejected.value.title == "invalid thing"
    assert [(error.field, error.message) for error in rejected.value.errors] == [(field, message)]
