"""The dashboard as a child process, next to the host whose stores it reads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx

from mayfly.cli.extras import require
from mayfly.cli.host_process import LOOPBACK, Child, app_directory, check_port


def start_dashboard(data: Path, api_url: str, port: int) -> Child:
    """Start the dashboard of a data folder and an API on a port of this machine, and return at once.

    Errors: `BadRequest` if the port is taken or a package is missing.
    """
    app = app_directory()
    require("dashboard")
    check_port(port, option="--dashboard-port")
    url = f"http://{LOOPBACK}:{port}"
    options = [f"--server.port={port}", f"--server.address={LOOPBACK}", "--logger.level=warning"]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit_dashboard", *options],
        cwd=app,
        env={**os.environ, "MAYFLY_DATA": str(data.absolute()), "MAYFLY_URL": api_url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # Streamlit prints its address, which our own output has
        start_new_session=True,
    )

    def is_healthy() -> bool:
        try:
            return httpx.get(f"{url}/_stcore/health", timeout=10.0, trust_env=False).is_success
        except httpx.TransportError:
            return False

    return Child("the dashboard", process, url, is_healthy)
