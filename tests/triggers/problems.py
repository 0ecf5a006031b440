"""Every rejection is a problem document, and leaves the log unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tests.triggers.function_host import Answer, FunctionHost

_SHAPE = Draft202012Validator(
    {
        "type": "object",
        "required": ["type", "title", "status", "detail", "errors"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": "about:blank"},
            "title": {"type": "string", "minLength": 1},
            "status": {"type": "integer"},
            "detail": {"type": "string", "minLength": 1},
            "errors": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["field", "message"],
                    "additionalProperties": False,
                    "properties": {"field": {"minLength": 1}, "message": {"minLength": 1, "maxLength": 600}},
                },
            },
        },
    }
)
"""Source: RFC 9457, and docs of `triggers.answers.problem`."""


def assert_refused(answer: Answer, status: int, field: str, fix: str) -> None:
    """Check the status, the document, that it names the field, and that its message holds the fix."""
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = answer.json
    _SHAPE.validate(document)
    assert document["status"] == status
    told = {error["field"]: error["message"] for error in document["errors"]}
    assert field in told, told
    assert fix in told[field], told[field]
    assert all(text.isprintable() for text in (document["detail"], *told.values())), "control characters are not echoed"


@contextmanager
def unchanged_log(api: FunctionHost) -> Iterator[None]:
    """Check that nothing is written inside the block."""
    before = api.composed.whole_log()
    yield
    assert api.composed.whole_log() == before
