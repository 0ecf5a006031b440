"""Text from a job is safe on one line, and counts have their noun."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.wording.text import plural, printable


@given(st.text(), st.integers(1, 20))
def test_any_text_becomes_one_printable_line_within_its_length(text: str, chars_max: int) -> None:
    line = printable(text, chars_max)
    assert line.isprintable()
    assert len(line) == min(len(text), chars_max)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\tb\r\nc", "a b  c"),
        ("\x1b]0;title\x07", "�]0;title�"),
        ("left\u202eright", "left�right"),
        ("naïve ☂ 漢字", "naïve ☂ 漢字"),
    ],
    ids=["white space", "terminal code", "direction", "letters"],
)
def test_only_characters_that_could_harm_are_replaced(text: str, line: str) -> None:
    assert printable(text) == line


def test_a_text_is_cut_only_if_it_is_too_long() -> None:
    assert [printable("abcdef", length) for length in (5, 6, 0)] == ["abcd…", "abcdef", "abcdef"]


@pytest.mark.parametrize(("count", "text"), [(0, "0 jobs"), (1, "1 job"), (2, "2 jobs"), (1_000_000, "1,000,000 jobs")])
def test_only_one_is_singular(count: int, text: str) -> None:
    assert plural(count, "job") == text
