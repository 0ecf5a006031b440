"""Start the server, inject faults, and open accounts."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mayfly.cosmos.account import CosmosAccount
from tests.waiting import HANG_GUARD_S

HERE = Path(__file__).parent
KEY = "bm9uZSBvZiB0aGUgc2VydmVycyBvZiB0ZXN0cyBjaGVja3MgaXQ="


@dataclass(kw_only=True)
class CosmosServer:
    """A running server. Every account that is opened has a separate database."""

    port: int
    opened: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def account(self, database: str | None = None) -> CosmosAccount:
        """Return an account over a new database, or over the one that is named."""
        if database is None:
            self.opened += 1
            database = f"test{self.opened}"
        return CosmosAccount(self.endpoint, KEY, database=database)

    def meet(self, *faults: dict[str, Any]) -> None:
        """Apply these faults to the next requests that match; see serve.js."""
        body = json.dumps(faults).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}faults", data=body)).close()

    def faults_left(self) -> int:
        with urllib.request.urlopen(f"{self.endpoint}faults") as answer:
            return sum(fault["times"] for fault in json.load(answer))

    def note_writes(self) -> None:
        """Begin to record requests."""
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}writes", data=b"")).close()

    def writes(self) -> list[dict[str, Any]]:
        """Return method, path, headers and body of each write to documents since then."""
        with urllib.request.urlopen(f"{self.endpoint}writes") as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


@contextmanager
def running() -> Iterator[CosmosServer]:
    """Start it on a free port, and stop it.

    Errors: skips if Node.js or the package is unavailable; in CI that is a failure.
    """
    _install()
    process = subprocess.Popen(
        ["node", str(HERE / "serve.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        first = process.stdout.readline().decode().split()
        if first[:1] != ["PORT"]:
            _cannot("the server did not start: run `node tests/cosmos_server/serve.js` to see why")
        yield CosmosServer(port=int(first[1]))
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(HANG_GUARD_S)


def _install() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        _cannot("node and npm are not on PATH")
    with (HERE / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests' processes all come here first
        if (HERE / "node_modules" / ".package-lock.json").exists():
            return
        if _run(["npm", "install", "--omit=dev", "--no-package-lock", "--no-audit", "--no-fund"]) != 0:
            _cannot("`npm install` in tests/cosmos_server failed")


def _run(command: Sequence[str]) -> int:
    return subprocess.run(command, cwd=HERE, capture_output=True, check=False).returncode


def _cannot(why: str) -> None:
    reason = f"no Cosmos DB server: {why}"
    if os.environ.get("MAYFLY_CI") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
