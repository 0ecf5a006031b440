"""The dialog that clears the board, after it has shown what it will do."""

from __future__ import annotations

import time

import streamlit as st

from mayfly.jobs.lifecycle import OPEN, TERMINAL
from mayfly.wording.text import plural
from streamlit_dashboard.errors import shows_errors
from streamlit_dashboard.services import api, ask, overview

_CATCH_UP_S = 5.0
"""How long to wait for the views, so that no job is missed that was submitted just before."""


def ask_to_clear() -> None:
    """Open the dialog. It stays open while the board behind it is redrawn."""
    st.session_state["clearing"] = True


def _close() -> None:
    st.session_state["clearing"] = False


def clear_dialog() -> None:
    """Draw the dialog if it is open."""
    if st.session_state.get("clearing"):
        _dialog()


@st.dialog("Clear the board", icon=":material/mop:", on_dismiss=_close)
def _dialog() -> None:
    """Show what will be canceled and archived, and do it once the viewer confirms."""
    with shows_errors("The board was not cleared"):
        counts = ask(overview().counts())
        open_jobs = sum(counts[state] for state in OPEN)
        every = open_jobs + sum(counts[state] for state in TERMINAL)
        if every == 0:
            st.info("The board is already clear.", icon=":material/check_circle:")
            return
        st.markdown(
            f"- **{plural(open_jobs, 'open job')}** will be **canceled**, and the containers deleted.\n"
            f"- **{plural(every, 'job')}** in total will be **archived**: hidden from the board.\n"
            "- Nothing is erased: every job keeps its page and its events."
        )
        begun = st.session_state.pop("clear-begun", False)
        st.button(
            "Cancel and archive",
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
            st.session_state["toast"] = f"Canceled {canceled:,}, archived {archived:,}."
            st.rerun()


def _begin() -> None:
    st.session_state["clear-begun"] = True


def _clear(every: int) -> tuple[int, int]:
    """Clear step by step and show the progress. If this is interrupted, the next clear finishes the rest."""
    bar = st.progress(0.0, "Started. Keep this dialog open; closing it stops the clear.")
    _wait_for_the_views()
    canceled = archived = 0
    for canceled, archived in api().clear():
        bar.progress(min(1.0, archived / every), f"{canceled:,} canceled, {archived:,} of {every:,} archived")
    return canceled, archived


def _wait_for_the_views() -> None:
    give_up = time.monotonic() + _CATCH_UP_S
    while ask(overview().lag()).events and time.monotonic() < give_up:
        time.sleep(0.1)
