"""The dashboard as a child process, next to the host whose stores it reads."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from mayfly.cli.extras import require
from mayfly.cli.host_process import Child, app_directory, check_port

_LOOPBACK = "127.0.0.1"


class Dashboard:
    """The dashboard of one data folder and API, on one port of this machine."""

    def __init__(self, data: Path, api_url: str, port: int) -> None:
        self.port = port
        self.url = f"http://{_LOOPBACK}:{port}"
        self._data = data.absolute()
        self._api_url = api_url

    def start(self) -> Child:
        """Start it and return at once.

        Errors: `BadRequest` if the port is taken or a package is missing.
        """
        app = app_directory()
        require("dashboard")
        check_port(self.port, option="--dashboard-port")
        options = [f"--server.port={self.port}", f"--server.address={_LOOPBACK}", "--logger.level=warning"]
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit_dashboard", *options],
            cwd=app,
            env={**os.environ, "MAYFLY_DATA": str(self._data), "MAYFLY_URL": self._api_url},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # Streamlit prints its address, which our own output has
            start_new_session=True,
        )
        return Child("the dashboard", process, self._is_healthy)

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=10.0) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
