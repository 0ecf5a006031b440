"""Output on a terminal: text from a job is never markup, and lines in a file are not cut."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console
from rich.text import Text

from mayfly.cli.screen import console, fact_table, mark, print_json, state_text, table
from mayfly.jobs.lifecycle import STATES, JobState


def _printed(*shown: object, width: int = 60) -> str:
    file = io.StringIO()
    Console(file=file, width=width).print(*shown)
    return file.getvalue()


def test_values_are_printed_as_they_are_and_empty_ones_are_left_out() -> None:
    text = _printed(fact_table(("name", "[red]x[/red]"), ("labels", ""), ("command", "a\x1b[31mb\nc")))
    assert "[red]x[/red]" in text
    assert "a�[31mb c" in text
    assert "labels" not in text


def test_a_column_is_aligned_to_the_right_on_request() -> None:
    rows = table("job", ">attempts")
    rows.add_row("ada", "3")
    head, row = _printed(rows).splitlines()
    assert head.split() == ["job", "attempts"]
    assert row.index("3") == head.index("attempts") + len("attempts") - 1


@pytest.mark.parametrize("state", STATES)
def test_a_state_has_its_word_beside_its_sign(state: JobState) -> None:
    sign, _, word = state_text(state).plain.partition(" ")
    assert len(sign) == 1
    assert word.replace(" ", "_") == state


def test_checks_that_passed_and_failed_differ_without_color() -> None:
    assert mark(True).plain != mark(False).plain


def test_without_a_terminal_a_line_is_not_cut_at_its_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    console().print(Text("x" * 200))
    assert capsys.readouterr().out == "x" * 200 + "\n"


def test_json_is_all_of_the_output_and_keeps_its_letters(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"text": "naïve ☂", "n": [1, None]})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"text": "naïve ☂", "n": [1, None]}
    assert "naïve ☂" in printed
