"""The local host as a child process: start it, wait until it is healthy, stop it, kill it.

It leads its own session, so that Ctrl-C reaches only the process that started it. The containers of its jobs are
separate sessions as well: they outlive the host, and a restarted host finds them.
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
from dataclasses import dataclass
from pathlib import Path

from mayfly.cli.data_folder import prepare
from mayfly.cli.extras import require
from mayfly.client.api import Api
from mayfly.client.connection import local_key
from mayfly.client.errors import BadRequest, ClientError

LOOPBACK = "127.0.0.1"
_STOP_WITHIN_S = 60.0
_HEALTHY_WITHIN_S = 10.0
"""How long a host may take to finish its current work. After that it is killed, which loses nothing."""
_REMIND_EVERY_S = 15.0
_PORT_FREE_WITHIN_S = 60.0
_POLL_S = 0.05
_PORTS = range(20_000, 30_000)


@dataclass(frozen=True)
class Child:
    """A child process that serves a URL, and is ready once `is_ready` returns True."""

    name: str
    process: subprocess.Popen[bytes]
    url: str
    is_ready: Callable[[], bool]

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while it runs."""
        return self.process.poll()

    def wait_until_ready(self) -> None:
        """Wait until it is ready, without a time limit. Prints a reminder on standard error every 15 seconds.

        Errors: `ClientError` if it exits first.
        """
        begun = reminded = time.monotonic()
        while not self.is_ready():
            if self.exit_code is not None:
                raise ClientError(f"{self.name} exited with code {self.exit_code} before it was ready")
            now = time.monotonic()
            if now - reminded > _REMIND_EVERY_S:
                reminded = now
                waited = f"{now - begun:.0f} s; press Ctrl-C to stop"
                print(f"still waiting for {self.name} to start ({waited})", file=sys.stderr)
            time.sleep(_POLL_S)

    def stop(self) -> bool:
        """Ask it to stop and wait for it; False if it had to be killed."""
        if self.exit_code is not None:
            return True
        self.process.terminate()
        try:
            self.process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def kill(self) -> None:
        """Kill it at once, like a crash."""
        self.process.kill()
        self.process.wait()


class LocalHost:
    """The host of one data folder and port. It can be restarted any number of times."""

    def __init__(self, data: Path, port: int, *, log: Path | None = None, clean_settings: bool = False) -> None:
        self.data = data.absolute()
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"
        self._log = log
        """File for its output; None: our own output."""
        self._environment = _environment(self.data, self.url, clean=clean_settings)

    def start(self) -> Child:
        """Start it and return at once. Errors: `BadRequest` for a taken port, a bad folder or a missing package."""
        require("host")
        app = app_directory()
        check_port(self.port)
        prepare(self.data)
        prepare(self.data / "host")
        arguments = ["--app", str(app), "--port", str(self.port), "--data", str(self.data / "host")]
        with self._log.open("ab") if self._log else contextlib.nullcontext() as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "local_host", "start", "--quiet", *arguments],
                cwd=app,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return Child("the local host", process, self.url, self._is_healthy)

    def api(self, *, patience_s: float = 30.0, sleep: Callable[[float], None] = time.sleep) -> Api:
        """Return a client. With enough patience, its requests survive restarts of the host; `sleep` as in `Api`.

        Errors: `ClientError` if the host has not created its keys yet. It has done so once it is ready.
        """
        key = local_key(self.data)
        if key is None:
            folder = self.data / "host"
            raise ClientError(f"the local host has not created its keys in {folder} yet; wait until it is ready")
        return Api(self.url, key, patience_s=patience_s, first_contact_s=patience_s, sleep=sleep)

    def _is_healthy(self) -> bool:
        with Api(self.url, None) as api:
            return api.healthy(within_s=_HEALTHY_WITHIN_S)


def app_directory() -> Path:
    """Return the folder of `function_app.py`: a checkout or an installation. Errors: `BadRequest` if it is missing."""
    directory = Path(__file__).resolve().parents[2]
    if not (directory / "function_app.py").exists() or not (directory / "host.json").exists():
        raise BadRequest(f"{directory} has no function_app.py and host.json: run this from a checkout of Mayfly")
    return directory


def check_port(port: int, *, option: str = "--port") -> None:
    """Check that a port is free. Errors: `BadRequest` if it is not."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            fix = f"stop the program that uses it (Mayfly itself?), or choose another with {option}"
            raise BadRequest(f"port {port} is not free ({error.strerror})", [fix]) from error


def wait_for_port(port: int) -> None:
    """Wait until the port of a killed host is free again.

    A process that the host was just forking keeps the host's sockets open until it executes its own program. The kill
    does not reach it.

    Errors: `BadRequest`, as in `check_port`.
    """
    give_up = time.monotonic() + _PORT_FREE_WITHIN_S
    while True:
        try:
            check_port(port)
            return
        except BadRequest:
            if time.monotonic() > give_up:
                raise
            time.sleep(_POLL_S)


def free_port() -> int:
    """Return a free port outside the range of outgoing connections, so that none takes it while its host is dead.

    Source: ip_local_port_range begins at 32768 on Linux, at 49152 elsewhere (RFC 6335). A client that keeps retrying a
    dead host on a port of that range can connect to itself and hold the port.
    """
    for port in random.sample(_PORTS, len(_PORTS)):
        with contextlib.suppress(BadRequest):
            check_port(port)
            return port
    raise BadRequest(f"no port from {_PORTS[0]} to {_PORTS[-1]} is free")


def _environment(data: Path, url: str, *, clean: bool) -> Mapping[str, str]:
    """Return the host's environment: ours and its own settings. `clean` leaves out our settings of Mayfly."""
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
    """Return the connection of the change feed for the configured store."""
    if environment.get("MAYFLY_STORE") != "cosmos":
        return f"sqlite:{data / 'log.db'}"
    key = environment.get("MAYFLY_COSMOS_KEY")
    endpoint = f"AccountEndpoint={environment.get('MAYFLY_COSMOS_ENDPOINT', '')};"
    return f"{endpoint}AccountKey={key};" if key else endpoint
