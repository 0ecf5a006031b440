"""The local host as a child: its environment, its ports, and a start that fails."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mayfly.cli.host_process import Child, LocalHost, check_port, free_port
from mayfly.client.errors import BadRequest, ClientError


def _environment(host: LocalHost) -> dict[str, str]:
    return dict(host._environment)


@pytest.fixture(autouse=True)
def _developers_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAYFLY_STORE", "MAYFLY_QUEUE", "MAYFLY_COSMOS_KEY", "MAYFLY_COSMOS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def test_a_clean_host_does_not_inherit_settings_of_mayfly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAYFLY_PLACES", "westeurope")
    monkeypatch.setenv("OTHER", "kept")
    clean = _environment(LocalHost(tmp_path, 20_000, clean_settings=True))
    assert ("MAYFLY_PLACES" in clean, clean["OTHER"]) == (False, "kept")
    assert _environment(LocalHost(tmp_path, 20_000))["MAYFLY_PLACES"] == "westeurope"


def test_the_folder_and_the_address_win_over_inherited_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAYFLY_DATA", "/elsewhere")
    monkeypatch.setenv("MAYFLY_QUEUE", "mine")
    found = _environment(LocalHost(tmp_path, 20_001))
    assert (found["MAYFLY_DATA"], found["MAYFLY_PUBLIC_URL"]) == (str(tmp_path), "http://127.0.0.1:20001")
    assert found["MAYFLY_QUEUE"] == "mine"


@pytest.mark.parametrize(
    ("settings", "connection"),
    [
        ({}, "sqlite:{data}/log.db"),
        (
            {"MAYFLY_STORE": "cosmos", "MAYFLY_COSMOS_ENDPOINT": "https://x/"},
            "AccountEndpoint=https://x/;",
        ),
        (
            {"MAYFLY_STORE": "cosmos", "MAYFLY_COSMOS_ENDPOINT": "https://x/", "MAYFLY_COSMOS_KEY": "a2V5"},
            "AccountEndpoint=https://x/;AccountKey=a2V5;",
        ),
    ],
)
def test_the_feed_follows_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], connection: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert _environment(LocalHost(tmp_path, 20_000))["MAYFLY_COSMOS"] == connection.format(data=tmp_path)


def test_a_taken_port_is_an_error_with_its_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadRequest, match=f"port {port} is not free") as rejected:
            check_port(port, option="--dashboard-port")
    assert "--dashboard-port" in rejected.value.lines[0]


def test_a_free_port_is_outside_the_range_of_outgoing_connections() -> None:
    assert 20_000 <= free_port() < 30_000


def test_a_child_that_exits_before_it_is_ready_is_an_error() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.exit(3)"])
    child = Child("the local host", process, "http://127.0.0.1:1", lambda: False)
    with pytest.raises(ClientError, match="the local host exited with code 3 before it was ready"):
        child.wait_until_ready()
    assert child.stop()


def test_a_host_without_keys_has_no_client_yet(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="wait until it is ready"):
        LocalHost(tmp_path, 20_000).api()
