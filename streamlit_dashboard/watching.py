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
    """Have a page, which is drawn after this, drawn anew when a look finds something else than now."""
    st.fragment(_compare, run_every=every_s)(look, look())


def views_stand() -> Hashable:
    """Return how far the views are; why they cannot be read, where they cannot."""
    service = read_service()
    return _asked(service.overview.projected())


def log_stands() -> Hashable:
    """Return how far the log is; why it cannot be read, where it cannot."""
    service = read_service()
    return _asked(service.overview.written())


def _asked(question: Coroutine[Any, Any, int | None]) -> Hashable:
    try:
        return read_service().ask(question)
    except TryAgain as error:
        return str(error)


def _compare(look: Look, before: Hashable) -> None:
    if look() != before:
        st.rerun()
