"""The dialog that clears the board, which says first what it will do."""

from __future__ import annotations

import time

import streamlit as st

from mayfly.jobs.lifecycle import OPEN, TERMINAL
from streamlit_dashboard.errors import said
from streamlit_dashboard.services import api, read_service

_CATCH_UP_S = 5.0
"""How long a clear waits for the views, so that it misses no job that was submitted just before it."""


def ask_to_clear() -> None:
    """Open the dialog; it stays open while the board below it is drawn anew."""
    st.session_state["clearing"] = True


def _close() -> None:
    st.session_state["clearing"] = False


def clear_dialog() -> None:
    """Draw the dialog where it is open."""
    if st.session_state.get("clearing"):
        _dialog()


@st.dialog("Clear the board", icon=":material/mop:", on_dismiss=_close)
def _dialog() -> None:
    """Say what will be canceled and hidden, and do it when told to."""
    with said("The board was not cleared"):
        service = read_service()
        counts = service.ask(service.overview.counts())
        open_jobs = sum(counts[state] for state in OPEN)
        every = open_jobs + sum(counts[state] for state in TERMINAL)
        if every == 0:
            st.info("The board is clear already.", icon=":material/check_circle:")
            return
        st.markdown(
            f"- **{_jobs(open_jobs)}** not over yet: **canceled**, and their containers deleted.\n"
            f"- **{_jobs(every)}** in all: **hidden** from the board.\n"
            "- Nothing is erased: each job keeps its page and its events."
        )
        begun = st.session_state.pop("clear-begun", False)
        st.button(
            "Cancel and hide them",
            type="primary",
            icon=":material/mop:",
            key="clear-now",
            width="stretch",
            on_click=_begin,
            disabled=begun,
        )
        if begun:
            canceled, archived = _clear(every)
            _close()
            st.session_state["told"] = f"Canceled {canceled:,}, hid {archived:,}."
            st.rerun()


def _begin() -> None:
    st.session_state["clear-begun"] = True


def _clear(every: int) -> tuple[int, int]:
    """Clear step by step, and say how far it is; what breaks off in between is finished by the next clear."""
    bar = st.progress(0.0, "Begun. Keep this open: closed, it stops where it is.")
    _wait_for_the_views()
    canceled = archived = 0
    for canceled, archived in api().clear():
        bar.progress(min(1.0, archived / every), f"{canceled:,} canceled, {archived:,} of {every:,} hidden")
    return canceled, archived


def _wait_for_the_views() -> None:
    service = read_service()
    give_up = time.monotonic() + _CATCH_UP_S
    while service.ask(service.overview.lag()).events and time.monotonic() < give_up:
        time.sleep(0.1)


def _jobs(count: int) -> str:
    return f"{count:,} job" + ("" if count == 1 else "s")
