"""An error on a page says what failed, how to fix it, and whether the page retries."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from mayfly.client.errors import BadRequest, Unreachable
from mayfly.errors import FieldError, Rejected, TryAgain
from tests.waiting import HANG_GUARD_S


def _page(error: Exception, *, retries: bool = False) -> AppTest:
    def script(error: Exception, retries: bool) -> None:  # runs alone, so it can use no name of this module
        import streamlit as st

        from streamlit_dashboard.errors import shows_errors

        def fail() -> None:
            raise error

        with shows_errors("The board could not be read", retries=retries):
            fail()
        st.caption("the rest of the page")

    page = AppTest.from_function(script, kwargs={"error": error, "retries": retries}, default_timeout=HANG_GUARD_S)
    return page.run()


@pytest.mark.parametrize(
    ("error", "texts"),
    [
        (TryAgain("views.db does not exist"), ["views.db does not exist.", "The store may be down"]),
        (Unreachable("http://x does not answer", ["start it with `mayfly up`"]), ["http://x does not", "Start it"]),
    ],
)
@pytest.mark.parametrize(
    ("retries", "next_step"), [(True, "This page retries automatically."), (False, "Nothing is lost; try again.")]
)
def test_an_error_that_may_pass_is_a_warning_with_the_next_step(
    error: Exception, texts: list[str], retries: bool, next_step: str
) -> None:
    page = _page(error, retries=retries)
    (warning,) = page.warning
    assert [text for text in ("**The board could not be read: ", *texts, next_step) if text not in warning.value] == []
    assert page.caption[0].value == "the rest of the page"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (BadRequest("the key is wrong", ["set MAYFLY_KEY"]), "the key is wrong\n\nset MAYFLY_KEY"),
        (
            Rejected("invalid filter", [FieldError(field="query.label", message="must be NAME=VALUE")]),
            "invalid filter; query.label: must be NAME=VALUE",
        ),
    ],
)
def test_an_error_in_a_request_names_the_fix_and_keeps_the_page(error: Exception, text: str) -> None:
    page = _page(error, retries=True)
    assert page.error[0].value == f"The board could not be read: {text}"
    assert page.caption[0].value == "the rest of the page"


def test_a_bug_is_not_hidden() -> None:
    page = _page(KeyError("oops"))
    assert page.exception[0].message == "'oops'"
