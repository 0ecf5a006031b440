"""Options and a file become one spec document."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from mayfly.cli.specs import pairs, spec_document
from mayfly.client.errors import BadRequest


def _document(file: str | None = None, **options: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"fields": {}, "env": None, "secrets": None, "labels": None, "retry": {}, **options}
    return spec_document(file, **given)


def test_options_that_were_not_given_are_left_out() -> None:
    assert _document(fields={"message": "hi", "cpu": None, "at_most_once": False}, retry={"max_attempts": None}) == {
        "message": "hi",
        "at_most_once": False,
    }


def test_an_option_overrides_one_entry_and_keeps_the_others(tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps({"message": "old", "labels": {"a": "1", "b": "2"}, "retry": {"backoff_s": 5}}))
    found = _document(str(file), fields={"message": "new"}, labels=["b=3"], retry={"max_attempts": 2})
    assert found == {
        "message": "new",
        "labels": {"a": "1", "b": "3"},
        "retry": {"backoff_s": 5, "max_attempts": 2},
    }


def test_a_field_of_the_wrong_type_is_left_to_the_api(tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text('{"message": "hi", "env": "A=1"}')
    assert _document(str(file), env=["B=2"])["env"] == "A=1"


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"message": "piped"}'))
    assert _document("-") == {"message": "piped"}
    monkeypatch.setattr("sys.stdin", io.StringIO("nonsense"))
    with pytest.raises(BadRequest, match="--file standard input is not valid JSON"):
        _document("-")


def test_an_empty_spec_shows_three_ways_to_fill_it() -> None:
    with pytest.raises(BadRequest, match="the job is empty") as empty:
        _document(fields={"message": None})
    assert len(empty.value.lines) == 3


@pytest.mark.parametrize("text", ["A", "=1", ""])
def test_a_pair_without_a_name_or_a_value_is_rejected_with_its_form(text: str) -> None:
    with pytest.raises(BadRequest, match="--label must look like K=V") as rejected:
        pairs([text], "--label", "K=V")
    assert repr(text) in rejected.value.text


def test_the_last_of_repeated_pairs_wins_and_a_value_may_be_empty() -> None:
    assert pairs(["A=1", "B=", "A=2=3"], "--env", "K=V") == {"A": "2=3", "B": ""}
