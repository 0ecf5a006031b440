"""`mayfly up` and `mayfly key`: Mayfly on this machine, with no account and no Docker."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.text import Text

from mayfly.cli.dashboard_process import Dashboard
from mayfly.cli.data_folder import prepare
from mayfly.cli.extras import require, require_adapters
from mayfly.cli.host_process import Child, LocalHost
from mayfly.cli.options import Data
from mayfly.cli.screen import console, table
from mayfly.client.connection import DEFAULT_DATA, keys_path, local_key
from mayfly.client.errors import BadRequest, ClientError
from mayfly.errors import SettingInvalid
from mayfly.settings import read_settings

_POLL_S = 0.2


class _Asked(Exception):
    """A signal asked us to stop."""


def up(
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="Where to listen, on 127.0.0.1.")] = 7071,
    data: Data = DEFAULT_DATA,
    dashboard: Annotated[bool, typer.Option("--dashboard/--no-dashboard", help="Serve the dashboard too.")] = True,
    dashboard_port: Annotated[
        int, typer.Option("--dashboard-port", min=1, max=65_535, help="Where the dashboard listens, on 127.0.0.1.")
    ] = 8501,
) -> None:
    """Run Mayfly on this machine until Ctrl-C: the API, and the dashboard beside it."""
    require("host")
    prepare(data)
    try:
        require_adapters(read_settings({**os.environ, "MAYFLY_DATA": str(data)}))
    except SettingInvalid as error:
        raise BadRequest(str(error), ["set it where you run `mayfly up`"]) from error
    host = LocalHost(data, port)
    page = Dashboard(data, host.url, dashboard_port) if dashboard else None
    children: list[Child] = []
    with _signals_ask():
        try:
            begun = time.monotonic()
            children.append(host.start())
            if page is not None:
                children.append(page.start())
            for child in children:
                child.wait_until_ready()
            _greet(host, page, data, time.monotonic() - begun)
            ended = _first_to_end(children)
            raise ClientError(f"{ended.name} ended by itself with exit code {ended.exit_code}")
        except _Asked:
            print("\nstopping", file=sys.stderr)
        finally:
            # Last started, first stopped. A second Ctrl-C must not leave one of them behind.
            with _signals_ignored():
                killed = [child.name for child in reversed(children) if not child.stop()]
    if killed:
        raise ClientError(f"{killed[0]} did not stop when asked, and was killed; nothing is lost")


def key(data: Data = DEFAULT_DATA) -> None:
    """Print the function key of the local host, as in: curl -H "x-functions-key: $(mayfly key)" ..."""
    found = local_key(data)
    if found is None:
        raise BadRequest(
            f"{keys_path(data)} is not there", ["start the host with `mayfly up`, or name its folder: --data"]
        )
    print(found)


def _greet(host: LocalHost, page: Dashboard | None, data: Path, seconds: float) -> None:
    screen = console()
    screen.print(Text.assemble(("Mayfly is up", "bold green"), f" ({seconds:.1f} s)"))
    suffix = "" if data == DEFAULT_DATA else f" --data {data}"
    facts = table("", "")
    facts.show_header = False
    facts.add_row("API", f"{host.url}/api  (described in /api/openapi.json)")
    if page is not None:
        facts.add_row("dashboard", page.url)
    facts.add_row("key", Text(f"mayfly key{suffix}, sent as the header x-functions-key"))
    facts.add_row("data", Text(f"{host.data}"))
    submit = "mayfly submit --wait --message hello" + (f" --url {host.url}" if host.port != 7071 else "")
    facts.add_row("try", Text(submit if data == DEFAULT_DATA else f"MAYFLY_DATA={data} {submit}"))
    facts.add_row("stop", "Ctrl-C")
    screen.print(facts)
    sys.stdout.flush()


def _first_to_end(children: Sequence[Child]) -> Child:
    while True:
        for child in children:
            if child.exit_code is not None:
                return child
        time.sleep(_POLL_S)


@contextlib.contextmanager
def _signals_ask() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into `_Asked`."""

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise _Asked

    with _handling(ask):
        yield


@contextlib.contextmanager
def _signals_ignored() -> Iterator[None]:
    with _handling(signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _handling(handler: object) -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, handler) for number in numbers]  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, old in zip(numbers, before, strict=True):
            signal.signal(number, old)
