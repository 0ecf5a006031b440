"""A live page polls once each time that it is drawn, and the polled positions follow the stores."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from streamlit_dashboard.auto_refresh import log_position, views_position
from tests.streamlit_dashboard.seeding import Seeded
from tests.waiting import HANG_GUARD_S


def _page(values: list[int]) -> AppTest:
    """Run a page that polls these values one by one; the last one repeats."""

    def script(values: list[int]) -> None:  # runs alone, so it can use no name of this module
        import streamlit as st

        from streamlit_dashboard.auto_refresh import rerun_on_change

        rerun_on_change(lambda: values.pop(0) if len(values) > 1 else values[0], every_s=86_400)
        st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1

    return AppTest.from_function(script, kwargs={"values": values}, default_timeout=HANG_GUARD_S).run()


def test_a_page_polls_once_while_it_is_drawn() -> None:
    values = [1, 2, 3]
    page = _page(values)
    assert not page.exception
    assert (page.session_state["polled"], values) == (1, [2, 3])
    assert page.session_state["drawn"] == 1


def test_the_positions_grow_with_the_log_and_the_views(seeded: Seeded) -> None:
    seeded.job(1)
    assert (log_position(), views_position()) == (1, 1)
    seeded.job(2, projected=False)
    assert (log_position(), views_position()) == (2, 1)
    seeded.project()
    assert views_position() == 2


def test_a_store_that_is_missing_is_a_value_too_so_that_its_return_is_a_change() -> None:
    missing = views_position()
    assert "views.db does not exist" in str(missing)
    assert missing == views_position()
