"""Run the dashboard: `python -m streamlit_dashboard`, followed by options of Streamlit.

All modules of the pages are imported before the server listens, so that the first viewer does not wait for them. Their
objects are then frozen: Streamlit forces a garbage collection after every page run, which would scan all of them and
take longer than the page itself.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import altair  # noqa: F401 - see above
import pandas  # noqa: F401
from streamlit.web.cli import main

from streamlit_dashboard import (  # noqa: F401
    auto_refresh,
    bar_chart,
    board_choice,
    charts,
    clearing,
    spec_form,
    timeline,
)
from streamlit_dashboard.job_tabs import cost, events, output, spec, usage  # noqa: F401

if __name__ == "__main__":
    gc.collect()
    gc.freeze()
    sys.argv = ["streamlit", "run", str(Path(__file__).with_name("app.py")), *sys.argv[1:]]
    sys.exit(main())
