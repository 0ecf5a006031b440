"""The dashboard as a child: its port must be free before it starts."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mayfly.cli.dashboard_process import Dashboard
from mayfly.client.errors import BadRequest


def test_a_taken_port_is_named_with_the_option_of_the_dashboard(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadRequest, match=f"port {port} is not free") as rejected:
            Dashboard(tmp_path, "http://127.0.0.1:1", port).start()
    assert "--dashboard-port" in rejected.value.lines[0]


def test_a_dashboard_that_does_not_listen_is_not_healthy(tmp_path: Path) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        dashboard = Dashboard(tmp_path, "http://127.0.0.1:1", reserved.getsockname()[1])
        assert not dashboard._is_healthy()
