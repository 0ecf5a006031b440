"""`mayfly up` and `mayfly key`: the local host's port and its key."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from tests.mayfly.cli.conftest import Run, Serve
from tests.mayfly.cli.scripted_api import Answer

LIST = "GET /api/jobs"


def test_the_local_hosts_key_is_found_in_its_data_folder(run: Run, serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / ".mayfly" / "host"
    folder.mkdir(parents=True)
    (folder / "keys.json").write_text(json.dumps({"master": "m", "host": {"default": "the-key"}}))
    api = serve({LIST: [Answer(body={"jobs": [], "cursor": None})]})

    run("list")

    assert api.asked[0].headers["x-functions-key"] == "the-key"
    assert run("key").out == "the-key\n"


def test_key_without_a_host_names_the_fix(run: Run) -> None:
    ran = run("key")

    assert ran.exit_code == 2
    assert "mayfly up" in ran.err


def test_up_on_a_taken_port_names_the_fix(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = run("up", "--port", str(taken.getsockname()[1]))

    assert ran.exit_code == 2
    assert "is not free" in ran.err
    assert "--port" in ran.err
