"""A cursor is valid as long as the text begins the same way."""

from __future__ import annotations

import pytest

from triggers.log_cursor import cursor_at_end, resume_offset


@pytest.mark.parametrize(
    ("before", "now", "offset"),
    [("", "one", 0), ("one", "one", 3), ("one", "one, two", 3), ("one", "two", 0), ("one, two", "one", 0)],
)
def test_reading_resumes_after_the_text_that_was_read(before: str, now: str, offset: int) -> None:
    assert resume_offset(now, cursor_at_end(before)) == offset


@pytest.mark.parametrize("cursor", ["", "3", "3-", "-1-0123456789abcdef", "3-0123456789ABCDEF", "3-0123456789abcdef\n"])
def test_text_that_is_not_a_cursor_is_an_error(cursor: str) -> None:
    with pytest.raises(ValueError, match="must be the `mark` of an earlier response"):
        resume_offset("one", cursor)
