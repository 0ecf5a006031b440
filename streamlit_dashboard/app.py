"""The dashboard: its frame, its style and its four pages.

Run it with `mayfly up`, or alone with `python -m streamlit_dashboard`.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

from streamlit_dashboard.services import principal

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
    page.run()
    who = principal()
    st.html(f'<div class="mf-who">{f"signed in as {escape(who)}" if who else "not signed in (local dashboard)"}</div>')


frame()
