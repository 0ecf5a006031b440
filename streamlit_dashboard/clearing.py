"""The dialog that clears the board, which says first what it will do."""

from __future__ import annotations

import streamlit as st

from mayfly.jobs.lifecycle import OPEN, TERMINAL
from streamlit_dashboard.services import api, read_service
from streamlit_dashboard.trouble import said


@st.dialog("Clear the board", icon=":material/mop:")
def clear_dialog() -> None:
    """Say what will be canceled and hidden, and do it when told to."""
    with said("The jobs could not be counted"):
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
        if st.button("Cancel and hide them", type="primary", icon=":material/mop:", key="clear-now", width="stretch"):
            with said("The board was not cleared"), st.spinner("clearing …"):
                canceled, archived = api().clear()
                st.session_state["told"] = f"Canceled {canceled:,}, hid {archived:,}."
                st.rerun()


def _jobs(count: int) -> str:
    return f"{count:,} job" + ("" if count == 1 else "s")
