"""Live pages: a cheap poll every second, and a rerun of the page only if something has changed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable
from typing import Any

import streamlit as st

from mayfly.errors import TryAgain
from streamlit_dashboard.services import ask, overview

POLL_S = 1.0

Poll = Callable[[], Hashable]
"""Returns a different value as soon as the page would look different."""


def rerun_on_change(poll: Poll, *, every_s: float = POLL_S) -> None:
    """Rerun the page, which is drawn after this call, when `poll` returns a new value.

    After a change, the page is drawn twice, one poll apart: in Cosmos DB, the stats change a moment before the views.
    """
    found = poll()
    once_more = st.session_state.get("polled") != found
    st.session_state.update({"polled": found, "polls": 0})
    st.fragment(_compare, run_every=every_s)(poll, found, once_more=once_more)


def views_position() -> Hashable:
    """Return how far the views are, or the error if they cannot be read."""
    return _answer_or_error(overview().projected())


def log_position() -> Hashable:
    """Return how far the log is, or the error if it cannot be read."""
    return _answer_or_error(overview().written())


def _answer_or_error(question: Coroutine[Any, Any, int]) -> Hashable:
    try:
        return ask(question)
    except TryAgain as error:
        return str(error)


def _compare(poll: Poll, before: Hashable, *, once_more: bool) -> None:
    polls = st.session_state["polls"]
    st.session_state["polls"] = polls + 1
    # The first run of this fragment comes with the page itself.
    if polls and (once_more or poll() != before):
        st.rerun()
