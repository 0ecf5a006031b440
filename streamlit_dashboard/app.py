"""The dashboard: its frame, its style and its four pages.

Run it with `mayfly up`, or alone with `python -m streamlit_dashboard`.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent


def frame() -> None:
    """Draw the frame of every page, and run the page."""
    st.set_page_config(page_title="Mayfly", page_icon=str(_HERE / "icon.svg"), layout="wide")
    st.html(_HERE / "style.css")
    page = st.navigation(
        [
            st.Page("screens/board.py", title="Board", icon=":material/dashboard:", default=True),
            st.Page("screens/submit.py", title="Submit", icon=":material/add_circle:", url_path="submit"),
            st.Page("screens/job.py", title="Job", icon=":material/description:", url_path="job"),
            st.Page("screens/system.py", title="System", icon=":material/monitor_heart:", url_path="system"),
        ],
        position="top",
    )
    if message := st.session_state.pop("toast", None):
        st.toast(message, icon=":material/check_circle:")
    page.run()
    # Set by App Service and Container Apps authentication. It is shown but grants nothing, because it is trustworthy
    # only if every request passes that platform.
    who = st.context.headers.get("X-MS-CLIENT-PRINCIPAL-NAME")
    st.html(f'<div class="mf-who">{f"signed in as {escape(who)}" if who else "not signed in (local dashboard)"}</div>')


frame()
