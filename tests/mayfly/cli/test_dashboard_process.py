"""The dashboard as a child: its port must be free before it starts."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mayfly.cli.dashboard_process import start_dashboard
from mayfly.client.errors import BadRequest


def test_a_taken_port_is_named_with_the_option_of_the_dashboard(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadRequest, match=f"port {port} is not free") as rejected:
            start_dashboard(tmp_path, "http://127.0.0.1:1", port)
    assert "--dashboard-port" in rejected.value.lines[0]
