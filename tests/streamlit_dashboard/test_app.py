"""The frame of every page: its title, its navigation, and the user."""

from __future__ import annotations

import pytest
import streamlit as st

from tests.streamlit_dashboard.conftest import Open, shown
from tests.streamlit_dashboard.seeding import Seeded


@pytest.mark.parametrize("page", ["board", "submit", "job", "system"])
def test_every_page_is_in_the_frame_and_shows_that_no_user_signed_in(seeded: Seeded, opened: Open, page: str) -> None:
    assert "not signed in (local dashboard)" in shown(opened(page))


def test_a_signed_in_user_is_named_and_escaped(seeded: Seeded, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"X-MS-CLIENT-PRINCIPAL-NAME": "<b>ada</b>@example.com"}
    monkeypatch.setattr(type(st.context), "headers", headers)
    text = shown(opened())
    assert "signed in as &lt;b&gt;ada&lt;/b&gt;@example.com" in text
    assert "not signed in" not in text
