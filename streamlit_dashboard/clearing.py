"""The dialog that clears the board, which says first what it will do."""

from __future__ import annotations

import streamlit as st

from mayfly.cli.errors import CliError
from mayfly.jobs.lifecycle import OPEN, TERMINAL
from streamlit_dashboard.services import api, read_service
from streamlit_dashboard.trouble import said


@st.dialog("Clear the board", icon=":material/mop:")
def clear_dialog() -> None:
    """Say what will be canceled and hidden, and do it when told to."""
    if "told" in st.session_state:  # it is done: close this, and draw the board anew
        st.rerun()
    with said("The board was not cleared"):
        service = read_service()
        counts = service.ask(service.overview.counts())
        open_jobs = sum(counts[state] for state in OPEN)
        over = sum(counts[state] for state in TERMINAL)
        if open_jobs + over == 0:
            st.info("The board is clear already.", icon=":material/check_circle:")
            return
        st.markdown(
            f"- **{_jobs(open_jobs)}** not over yet: **canceled**, and their containers deleted.\n"
            f"- **{_jobs(open_jobs + over)}** in all: **hidden** from the board.\n"
            "- Nothing is erased: each job keeps its page and its events."
        )
        st.button(
            "Cancel and hide them",
            type="primary",
            icon=":material/mop:",
            key="clear-now",
            width="stretch",
            on_click=_clear,
        )
        if "clear-fault" in st.session_state:
            raise st.session_state.pop("clear-fault")


def _clear() -> None:
    try:
        canceled, archived = api().clear()
    except CliError as error:
        st.session_state["clear-fault"] = error
    else:
        st.session_state["told"] = f"Canceled {canceled:,}, hid {archived:,}."


def _jobs(count: int) -> str:
    return f"{count:,} job" + ("" if count == 1 else "s")
