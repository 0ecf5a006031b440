"""Cursors: each one leads back to its job, and any other text is refused."""

from __future__ import annotations

import base64

import pytest

from mayfly.views.cursor import cursor_after, parse_cursor
from tests.contracts.job_views import job


def test_a_cursor_names_the_time_and_the_job_that_the_page_ended_with() -> None:
    last = job(7, after_s=0.5)
    assert parse_cursor(cursor_after(last)) == ("2026-01-31T12:00:00.500000+00:00", last.job_id)


def test_a_cursor_is_safe_in_a_url() -> None:
    assert all(character.isalnum() or character in "-_" for character in cursor_after(job(7)))


@pytest.mark.parametrize(
    "text",
    ["", "é", "####", "yesterday|ada-abcdefghij", "2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00+00:00|../etc"],
)
@pytest.mark.parametrize("encoded", [True, False], ids=["encoded", "plain"])
def test_any_other_text_is_refused(text: str, encoded: bool) -> None:
    cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") if encoded else text
    with pytest.raises(ValueError, match="must be a cursor that an earlier page returned"):
        parse_cursor(cursor)
