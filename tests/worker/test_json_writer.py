"""Whatever the worker writes as JSON, `json` reads back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.json_writer import JsonText, to_json


@given(st.text())
def test_text_is_written_as_json(text: str) -> None:
    assert json.loads(to_json({"text": text})) == {"text": text}


def test_json_text_is_written_unchanged() -> None:
    assert json.loads(to_json({"a": JsonText('[1, "x"]'), "b": 0.25, "c": None, "d": {}})) == {
        "a": [1, "x"],
        "b": 0.25,
        "c": None,
        "d": {},
    }


@pytest.mark.parametrize("value", [True, [1], b"bytes"])
def test_other_types_are_rejected(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        to_json({"value": value})
