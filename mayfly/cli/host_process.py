"""The local host as a child process: start it, see it well, stop it, kill it.

It leads a session of its own, so that Ctrl-C reaches it only through whoever started it. The containers of its jobs
are sessions of their own too and outlive it; that is what a restarted host relies on.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from mayfly.cli.data_folder import prepare
from mayfly.cli.extras import require
from mayfly.client.api import Api
from mayfly.client.connection import local_key
from mayfly.client.errors import BadRequest, ClientError

STOP_WITHIN_S = 60.0
"""A host that is asked to stop finishes what it is at. It is killed after this, which loses nothing."""
_SAY_EVERY_S = 15.0
_HEALTH_WITHIN_S = 10.0
_LOOPBACK = "127.0.0.1"
_POLL_S = 0.05
_PORTS = range(20_000, 30_000)


class Child:
    """One child process that serves something and is ready once `is_ready` says so."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], is_ready: Callable[[], bool]) -> None:
        self.name = name
        self.process = process
        self._is_ready = is_ready

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while it runs."""
        return self.process.poll()

    def wait_until_ready(self) -> None:
        """Wait until it is ready, for as long as it runs: a slow machine may take its time.

        Says on standard error what it waits for, every 15 seconds.

        Errors: `ClientError` when it ends before.
        """
        begun = said = time.monotonic()
        while not self._is_ready():
            if self.exit_code is not None:
                raise ClientError(f"{self.name} ended with exit code {self.exit_code} before it was ready")
            now = time.monotonic()
            if now - said > _SAY_EVERY_S:
                said = now
                print(f"still waiting for {self.name} to start ({now - begun:.0f} s; Ctrl-C stops)", file=sys.stderr)
            time.sleep(_POLL_S)

    def stop(self, *, within_s: float = STOP_WITHIN_S) -> bool:
        """Ask it to stop and wait; False when it had to be killed."""
        if self.exit_code is not None:
            return True
        self.process.terminate()
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self.process.kill()
        self.process.wait()


class LocalHost:
    """The host of one data folder and port, which can be started again and again."""

    def __init__(self, data: Path, port: int, *, log: Path | None = None, clean_settings: bool = False) -> None:
        self.data = data.absolute()
        self.port = port
        self.url = f"http://{_LOOPBACK}:{port}"
        self._log = log
        """Where its output goes; None: to ours."""
        self._environment = _environment(self.data, self.url, clean=clean_settings)

    def start(self) -> Child:
        """Start the host and return at once.

        Errors: `BadRequest` when the port is taken, the data folder cannot be written, or a part is not installed.
        """
        require("host")
        app = app_directory()
        check_port(self.port)
        prepare(self.data)
        prepare(self.data / "host")
        arguments = ["--app", str(app), "--port", str(self.port), "--data", str(self.data / "host")]
        with contextlib.ExitStack() as stack:
            output: IO[bytes] | None = stack.enter_context(self._log.open("ab")) if self._log else None
            process = subprocess.Popen(
                [sys.executable, "-m", "local_host", "start", "--quiet", *arguments],
                cwd=app,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return Child("the local host", process, self._is_well)

    def api(self, *, patience_s: float = 30.0, sleep: Callable[[float], None] = time.sleep) -> Api:
        """Return a client. With patience it gets over a host that is killed and started again; `sleep` as in `Api`.

        Errors: `ClientError` when the host has made no keys yet; they are there once it is ready.
        """
        key = local_key(self.data)
        if key is None:
            raise ClientError(f"the local host has made no keys in {self.data / 'host'}")
        return Api(self.url, key, patience_s=patience_s, first_contact_s=patience_s, sleep=sleep)

    def _is_well(self) -> bool:
        with Api(self.url, None) as api:
            return api.healthy(within_s=_HEALTH_WITHIN_S)


def app_directory() -> Path:
    """Return the folder of `function_app.py`: the checkout, or the one that Mayfly is installed in.

    Errors: `BadRequest` when it is not there.
    """
    directory = Path(__file__).resolve().parents[2]
    if not (directory / "function_app.py").exists() or not (directory / "host.json").exists():
        raise BadRequest(f"{directory} has no function_app.py and host.json: run this from a checkout of Mayfly")
    return directory


def check_port(port: int, *, option: str = "--port") -> None:
    """See that a port is free.

    Errors: `BadRequest`.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError as error:
            raise BadRequest(
                f"port {port} is not free ({error.strerror})",
                [f"is Mayfly running already? Otherwise choose another with {option}"],
            ) from error


def wait_for_port(port: int, *, within_s: float = 60.0) -> None:
    """Wait until the port of a host that was killed is free again.

    A process that the host was just starting holds the host's sockets until it has become another program, and the
    kill does not reach it.

    Errors: `BadRequest`, as `check_port`.
    """
    give_up = time.monotonic() + within_s
    while True:
        try:
            check_port(port)
            return
        except BadRequest:
            if time.monotonic() > give_up:
                raise
            time.sleep(_POLL_S)


def free_port() -> int:
    """Return a port that is free at this moment, and that no outgoing connection is given while its host is dead.

    Source: ip_local_port_range begins at 32768 on Linux, at 49152 elsewhere (RFC 6335). A client that tries again and
    again to reach a dead host on a port of that range can even end up connected to itself, and hold the port.
    """
    for port in random.sample(_PORTS, len(_PORTS)):
        with contextlib.suppress(BadRequest):
            check_port(port)
            return port
    raise BadRequest(f"no port from {_PORTS[0]} to {_PORTS[-1]} is free")


def _environment(data: Path, url: str, *, clean: bool) -> Mapping[str, str]:
    """Return the host's environment: ours, and where it works. `clean` leaves out what ours sets of Mayfly."""
    inherited = {name: value for name, value in os.environ.items() if not (clean and name.startswith("MAYFLY_"))}
    return {
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "MAYFLY_QUEUE": "jobs",
        **inherited,
        "MAYFLY_DATA": str(data),
        "MAYFLY_PUBLIC_URL": url,
        "MAYFLY_COSMOS": _feed_connection(inherited, data),
        "PYTHONUNBUFFERED": "1",
    }


def _feed_connection(environment: Mapping[str, str], data: Path) -> str:
    """Return the connection of the change feed, for the store that the settings choose."""
    if environment.get("MAYFLY_STORE") != "cosmos":
        return f"sqlite:{data / 'log.db'}"
    key = environment.get("MAYFLY_COSMOS_KEY")
    endpoint = f"AccountEndpoint={environment.get('MAYFLY_COSMOS_ENDPOINT', '')};"
    return f"{endpoint}AccountKey={key};" if key else endpoint
