"""Whether a page still shows what there is: a cheap look each second, and it is drawn anew only when that says so."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable
from typing import Any

import streamlit as st

from mayfly.errors import TryAgain
from streamlit_dashboard.services import read_service

LOOK_S = 1.0

Look = Callable[[], Hashable]
"""Returns something else as soon as the page would look different."""


def watched(look: Look, *, every_s: float = LOOK_S) -> None:
    """Have a page, which is drawn after this, drawn anew when a look finds something else than now.

    What changed is drawn twice, with a look in between: in Cosmos DB the figures move a moment before the views do.
    """
    found = look()
    once_more = st.session_state.get("looked") != found
    st.session_state.update({"looked": found, "looks": 0})
    st.fragment(_compare, run_every=every_s)(look, found, once_more=once_more)


def views_stand() -> Hashable:
    """Return how far the views are; why they cannot be read, where they cannot."""
    service = read_service()
    return _asked(service.overview.projected())


def log_stands() -> Hashable:
    """Return how far the log is; why it cannot be read, where it cannot."""
    service = read_service()
    return _asked(service.overview.written())


def _asked(question: Coroutine[Any, Any, int]) -> Hashable:
    try:
        return read_service().ask(question)
    except TryAgain as error:
        return str(error)


def _compare(look: Look, before: Hashable, *, once_more: bool) -> None:
    looks = st.session_state["looks"]
    st.session_state["looks"] = looks + 1
    # The first comes with the page itself.
    if looks and (once_more or look() != before):
        st.rerun()
